"""Refuse to build where the two links are missing, and leave all the rest to setup.cfg."""

from pathlib import Path

from setuptools import setup

for _name in ("actors", "messages"):
    # In a source archive it is a folder of its own: what the link led to when the archive was made.
    if not Path(__file__).with_name("mesolite").joinpath(_name).is_dir():
        raise SystemExit(
            f"mesolite/{_name} must be a symbolic link to ../{_name} and is none here, so what would be installed "
            "could not be imported: clone with `git clone -c core.symlinks=true`, or install a wheel"
        )

setup()
