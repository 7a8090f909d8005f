"""Targets of texts: what options hold that are parsed by the commands themselves, and what programs print."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import mutators
from target import Target

from deseptr.firmware_harness.deploy.target.refusal import RefusedError

Parser = Callable[[str], object]


def words() -> Iterator[Target]:
    """All of them."""
    for name, (parse, seeds) in {**_of_device(), **_of_models(), **_of_boards(), **_of_data()}.items():
        encoded = tuple(each.encode() for each in seeds)
        yield Target(f"text of {name}", partial(_parse, parse), encoded, mutators.of_text, (RefusedError,))
    for name, (read, seeds) in _printed().items():
        yield Target(f"printed by {name}", partial(_parse, read), tuple(each.encode() for each in seeds), of_lines)


def _parse(parse: Parser, content: bytes) -> object:
    return parse(os.fsdecode(content))


def of_lines(rng: Any, content: bytes) -> bytes:
    """A change of a text of several lines: of a word, or of bytes."""
    return (mutators.of_bytes if rng.random() < 0.4 else mutators.of_text)(rng, content)


def _of_device() -> dict[str, tuple[Parser, tuple[str, ...]]]:
    from deseptr.cli.device.mqtt_options import client_id, parse_address
    from deseptr.cli.firmware.service_page import listen_of
    from deseptr.contract.mounting import Mounting
    from deseptr.device.live_page import parse_listen
    from deseptr.device.personal import check_wearer
    from deseptr.device.recorder import check_name
    from deseptr.device.sinks.alarm_command import AlarmCommand
    from deseptr.device.sinks.gpio_lines import parse_lines
    from deseptr.device.sinks.http_post import parse_endpoint, secret_of
    from deseptr.device.sinks.mqtt_messages import check_node, node_name

    def named(text: str) -> object:
        return client_id(check_node(node_name(text)), Path("spool"), "code")

    return {
        "--web": (parse_listen, ("0.0.0.0:8384", "[::1]:80", "wrist.local")),
        "--web of a service": (lambda text: listen_of(text.split(" ")), ("--web 0.0.0.0:8384", "--web=[::1]", "--web")),
        "--mqtt": (parse_address, ("mqtts://broker.local:8883", "[::1]:1883", "broker")),
        "--mqtt-node": (check_node, ("left_wrist-1",)),
        "the host's name": (named, ("raspberrypi", "näs.local")),
        "--webhook": (lambda text: parse_endpoint(text, "--webhook"), ("https://example.org:8443/a?b=c",)),
        "--webhook-secret-file": (lambda text: secret_of(text, "file"), ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",)),
        "--alarm-command": (AlarmCommand, ("true 'a b' --quietly",)),
        "--gpio": (parse_lines, ("buzzer=17,led=!27,button=22",)),
        "--mounting": (Mounting.named, ("x90+z180", "none")),
        "--wearer": (check_wearer, ("eve",)),
        "--subject": (lambda text: check_name("--subject", text), ("ada",)),
    }


def _of_models() -> dict[str, tuple[Parser, tuple[str, ...]]]:
    from deseptr.contract import ModelContract
    from deseptr.contract.channels import parse_sensors
    from deseptr.device import DecisionConfig
    from deseptr.evaluate.continuous.alarm_target import AlarmTarget
    from deseptr.evaluate.continuous.target import Target as DecisionTarget
    from deseptr.evaluate.continuous.tuned_model import parse_hops
    from deseptr.train.full_scale import parse_full_scale

    contract = ModelContract(("still", "walking"))
    before = DecisionConfig(hop_s=1.28)
    return {
        "--target of a decision": (DecisionTarget.parse, ("delay=1.5", "false-alarms=60/h", "f1")),
        "--target of an alarm": (AlarmTarget.parse, ("false-alarms=0.1/day", "sensitivity=0.95")),
        "--hops": (lambda text: parse_hops(text, contract, before), ("1.28,0.64,0.32",)),
        "--full-scale": (parse_full_scale, ("acc=16g,gyro=2000dps,mag=4900uT", "auto")),
        "--channels": (parse_sensors, ("acc,gyro",)),
    }


def _of_boards() -> dict[str, tuple[Parser, tuple[str, ...]]]:
    from deseptr.cli.firmware.bundle import parse_target
    from deseptr.firmware_harness.deploy import SshTarget
    from deseptr.firmware_harness.deploy.boot_files import with_i2c, with_script
    from deseptr.firmware_harness.deploy.first_boot import FirstBoot, cloud_files, script_text, wifi_of
    from deseptr.firmware_harness.deploy.target.environment import check_environment
    from deseptr.firmware_harness.deploy.wheelhouse import check_target

    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKd0 a laptop"

    def first(text: str) -> object:
        user, host, ssid, country, laptop = [*text.split("\n"), *[""] * 5][:5]
        made = FirstBoot(user, laptop or key, host, wifi_of(ssid, "correct horse", country))
        return cloud_files(made, with_bundle=True), script_text(made, with_bundle=True)

    return {
        "--target of a bundle": (
            lambda text: check_target(parse_target(text)),
            ("bookworm", "aarch64,3.12,2.39", "x86_64,3.11,2.36"),
        ),
        "USER@HOST": (SshTarget, ("pi@raspberrypi",)),
        "a card's first boot": (first, (f"wearer\nleft-wrist\nHome\nDE\n{key}",)),
        "config.txt": (with_i2c, ("# a comment\n[pi5]\ndtparam=i2c_arm=on\n",)),
        "cmdline.txt": (with_script, ("console=tty1 rootwait systemd.run=/a\n",)),
        "--env-file": (check_environment, ("# a comment\nDESEPTR_MQTT_PASSWORD='a b'\n",)),
    }


def _of_data() -> dict[str, tuple[Parser, tuple[str, ...]]]:
    from deseptr.data.label_edits import parse_merge, parse_rename

    names = ("walking", "sitting", "standing")
    return {
        "--merge": (lambda text: parse_merge(text, names), ("still=sitting+standing",)),
        "--rename": (parse_rename, ("walking=gait,sitting=rest",)),
    }


def _printed() -> dict[str, tuple[Parser, tuple[str, ...]]]:
    from deseptr.convert.edgetpu import parse_report
    from deseptr.device.host.board import read_throttled
    from deseptr.device.host.power import pmic_power

    report = (
        "Edge TPU Compiler version 16.0.384591198\nNumber of Edge TPU subgraphs: 1\n"
        "On-chip memory used for caching model parameters: 6.86MiB\n\n"
        "Operator                       Count      Status\n\nCONV_2D                        2          Mapped\n"
    )
    adc = "VDD_CORE_A current(7)=0.8A\nVDD_CORE_V volt(15)=0.72V\nEXT5V_V volt(24)=5.1V\n"
    nowhere = Path("/nonexistent")
    return {
        "edgetpu_compiler": (parse_report, (report,)),
        "vcgencmd pmic_read_adc": (lambda text: pmic_power(lambda command: text), (adc,)),
        "vcgencmd get_throttled": (
            lambda text: (found := read_throttled(nowhere, lambda command: text)) and found.to_dict(),
            ("throttled=0x50005\n",),
        ),
    }
