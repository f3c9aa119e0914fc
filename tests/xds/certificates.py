"""Certificates for tests, made by openssl."""

import subprocess
from pathlib import Path


def signed(folder: Path, host: str) -> Path:
    """Sign a certificate for a host with an authority of the folder, `ca.pem`."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    if not (folder / "ca.pem").exists():
        openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    openssl(
        *("req", "-x509", *new_key, "-keyout", f"{host}.key", "-out", f"{host}.crt"),
        *("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"),
        *("-CA", "ca.pem", "-CAkey", "ca.key"),
    )
    both = folder / f"{host}.pem"
    both.write_text((folder / f"{host}.crt").read_text() + (folder / f"{host}.key").read_text())
    return both
