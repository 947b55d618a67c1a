"""A server that speaks S3, as a process of its own: moto's, which keeps everything in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import boto3

_SERVE = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""
BUCKET = "blobs"
CREDENTIALS: Mapping[str, str] = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "something"}


@dataclass(frozen=True)
class S3Server:
    """A server with an empty bucket."""

    address: str

    def url(self, prefix: str = "") -> str:
        """The setting ``blob_store`` for the bucket."""
        return f"s3://{BUCKET}/{prefix}?endpoint={self.address}&region=us-east-1"

    def keys(self) -> dict[str, int]:
        """What another client finds in the bucket: the sizes of the objects, by their keys."""
        client = boto3.client(
            "s3",
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        try:
            listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        finally:
            client.close()
        return {each["Key"]: each["Size"] for each in listed}


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """A server on a free port, until the block is left."""
    environment = {**os.environ, **CREDENTIALS}
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            server = S3Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
            _make_bucket(server.address)
            yield server
        finally:
            process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _make_bucket(address: str) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=BUCKET)
    client.close()
