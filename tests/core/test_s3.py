"""Pictures on S3, through its real protocol."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.utils.timezone import now
from moto.server import ThreadedMotoServer

from core import pictures
from tests import factories


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], bytes]]:
    """An empty bucket that the default storage writes to; the function reads what is at a path."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keys = {"access_key": "tests-only", "secret_key": "tests-only"}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    address = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="ap-south-1",
        aws_access_key_id=keys["access_key"],
        aws_secret_access_key=keys["secret_key"],
    )
    name = f"rhms-{uuid4().hex}"  # the server remembers buckets for as long as the process lives
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {"bucket_name": name, "endpoint_url": address, "region_name": "ap-south-1", **keys},
        },
    }
    yield lambda path: client.get_object(Bucket=name, Key=path)["Body"].read()
    server.stop()


def test_a_picture_is_stored_below_its_hospital_and_read_again(bucket: Callable[[str], bytes]) -> None:
    picture = pictures.judge(factories.picture())
    path = pictures.store(picture, folder="01932c07", kind="logo")
    assert path == f"01932c07/logo-{picture.digest}.webp"
    assert bucket(path) == picture.content


def test_a_picture_is_kept_for_a_form_and_dropped_after_a_day(bucket: Callable[[str], bytes]) -> None:
    token = pictures.keep(pictures.judge(factories.picture("our logo.png")))
    kept = pictures.kept(token)
    assert kept is not None
    assert kept.name == "our logo.png"
    assert pictures.drop_forgotten(now=now() + timedelta(hours=25)) == 1
    assert pictures.kept(token) is None
