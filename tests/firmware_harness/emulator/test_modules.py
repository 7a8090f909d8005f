import lzma

import pytest
from hypothesis import given, strategies as st

from deseptr.contract import SetupError
from deseptr.firmware_harness.emulator.cpio import CpioEntry
from deseptr.firmware_harness.emulator.modules import depends, loading_order, module_entries, module_name


def module(*needs):
    return b"\x7fELF\0license=GPL\0depends=" + ",".join(needs).encode() + b"\0name=x\0"


def package():
    folder = "lib/modules/6.1/kernel"
    yield CpioEntry.file(f"{folder}/drivers/usb/vhci-hcd.ko", module("usbcore", "usbip-core"))
    yield CpioEntry.file(f"{folder}/drivers/usb/usbip-core.ko.xz", lzma.compress(module("usbcore")))
    yield CpioEntry.file(f"usr/{folder}/drivers/usb/usbcore.ko", module())
    yield CpioEntry.file(f"{folder}/fs/other.ko", module())
    yield CpioEntry.file("lib/modules/6.1/modules.builtin", b"")
    yield CpioEntry.file("boot/vmlinuz-6.1", b"")


def test_modules_come_with_their_dependencies_in_the_order_of_loading():
    entries = list(module_entries(package, ["vhci_hcd"]))
    assert [entry.path for entry in entries] == [
        "kernel-modules/000-usbcore.ko",
        "kernel-modules/001-usbip_core.ko",
        "kernel-modules/002-vhci_hcd.ko",
    ]
    assert entries[1].data == module("usbcore")


def test_a_missing_module_is_named():
    with pytest.raises(SetupError, match="nonesuch: found no such module"):
        list(module_entries(package, ["nonesuch"]))


def test_names_and_needs():
    assert module_name("lib/modules/6.1/kernel/drivers/i2c/i2c-dev.ko.xz") == "i2c_dev"
    assert module_name("boot/vmlinuz-6.1") == module_name("lib/modules/6.1/modules.dep") == ""
    assert depends(module("a", "b-c")) == ["a", "b_c"]
    assert depends(module()) == depends(b"no module") == []


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(*(st.sets(st.integers(0, max(0, k - 1))) for k in range(n)))))
def test_each_module_is_loaded_once_and_after_its_dependencies(graph):
    needs = {f"m{k}": [f"m{other}" for other in sorted(others) if other < k] for k, others in enumerate(graph)}
    order = loading_order([f"m{len(graph) - 1}"], needs)
    assert len(order) == len(set(order))
    assert order[-1] == f"m{len(graph) - 1}"
    for name in order:
        assert all(order.index(other) < order.index(name) for other in needs[name])
