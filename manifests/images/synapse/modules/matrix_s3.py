"""Media on S3 that says so when S3 is not there.

`synapse-s3-storage-provider` 1.7.0 leaves a download waiting for ever when S3 cannot be reached: only errors that S3
itself answers come back to the request, not those of the connection. And boto's own patience is five attempts of 60 s.
"""

from __future__ import annotations

import logging
from typing import Any

from botocore.config import Config
from s3_storage_provider import S3StorageProviderBackend, s3_download_task
from synapse.api.errors import Codes, SynapseError
from synapse.logging.context import make_deferred_yieldable, run_in_background
from twisted.internet import defer, reactor
from twisted.python.failure import Failure

logger = logging.getLogger("synapse.matrix_s3")

PATIENCE = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
"""Seconds, and attempts in all: an S3 that is gone is an error after 2 to 8 seconds. One that vanished without a word
while a connection to it was open takes the read timeout more (measured: 14 s)."""

UNREACHABLE = "The media store cannot be reached"


class S3Storage(S3StorageProviderBackend):
    """The provider, with bounded waits and every failure made an answer: 502."""

    def __init__(self, hs: Any, config: dict[str, Any]) -> None:
        super().__init__(hs, config)
        self.api_kwargs["config"] = self.api_kwargs["config"].merge(PATIENCE)

    async def store_file(self, path: str, file_info: Any) -> None:
        """Uploads a file; the answer to the user waits for it."""
        try:
            await super().store_file(path, file_info)
        except Exception as error:
            logger.exception("Storing %s in S3 failed", path)
            raise SynapseError(502, UNREACHABLE, Codes.UNKNOWN) from error

    async def fetch(self, path: str, file_info: Any) -> Any:  # noqa: ARG002 - the provider's signature
        """The file as a responder, or None when S3 has none."""
        opened: defer.Deferred[Any] = defer.Deferred()
        run_in_background(
            self._module_api.defer_to_threadpool, self._s3_pool, self._download, self.prefix + path, opened
        )
        try:
            return await make_deferred_yieldable(opened)
        except Exception as error:
            logger.exception("Fetching %s from S3 failed", path)
            raise SynapseError(502, UNREACHABLE, Codes.UNKNOWN) from error

    def _download(self, key: str, opened: defer.Deferred[Any]) -> None:
        """In a thread of its own: tells `opened` how it went, whatever happens."""
        try:
            s3_download_task(self._get_s3_client(), self.bucket, key, self.extra_args, opened)
        except Exception:  # noqa: BLE001 - whatever it is, somebody waits for it
            reactor.callFromThread(_fail, opened, Failure())


def _fail(opened: defer.Deferred[Any], failure: Failure) -> None:
    if not opened.called:
        opened.errback(failure)
