from deseptr.firmware_harness.simulator.front import availability, front_ends


def named(fronts):
    return {front.name: front for front in fronts}


def test_in_process_is_always_possible(tmp_path):
    fronts = named(front_ends(tmp_path / "cuse", tmp_path / "hub", tmp_path / "driver"))
    assert list(fronts) == ["inprocess", "ioctl", "cuse", "usbip"]
    assert fronts["inprocess"].to_dict() == {
        "name": "inprocess",
        "reaches": "the driver, in this process and in virtual time",
        "missing": "",
        "next_step": "",
        "possible": True,
    }


def test_the_missing_part_is_named_with_its_remedy(tmp_path):
    (tmp_path / "hub").mkdir()
    cuse, hub, driver = tmp_path / "cuse", tmp_path / "hub", tmp_path / "driver"
    fronts = named(front_ends(cuse, hub, driver))
    assert (fronts["cuse"].missing, fronts["cuse"].next_step) == (f"no {cuse}", "sudo modprobe cuse")
    assert (fronts["usbip"].missing, fronts["usbip"].next_step) == (f"no {hub}/attach", "sudo modprobe vhci-hcd")
    cuse.touch()
    (hub / "attach").touch()
    fronts = named(front_ends(cuse, hub, driver))
    assert fronts["cuse"].to_dict()["possible"]
    assert (fronts["usbip"].missing, fronts["usbip"].next_step) == (f"no {driver}", "sudo modprobe i2c-tiny-usb")
    driver.touch()
    assert named(front_ends(cuse, hub, driver))["usbip"].missing == ""


def test_without_permission_it_takes_root(tmp_path, monkeypatch):
    (tmp_path / "cuse").touch()
    monkeypatch.setattr(availability.os, "access", lambda path, mode: False)
    cuse = named(front_ends(tmp_path / "cuse", tmp_path, tmp_path))["cuse"]
    assert (cuse.missing, cuse.next_step) == (f"no permission for {tmp_path}/cuse", "run it as root")


def test_umockdev_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(availability, "missing_umockdev", lambda: "no umockdev-wrapper")
    ioctl = named(front_ends(tmp_path, tmp_path, tmp_path))["ioctl"]
    assert ioctl.missing == "no umockdev-wrapper"
    assert ioctl.next_step.startswith("sudo apt-get install umockdev ")
