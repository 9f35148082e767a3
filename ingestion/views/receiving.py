"""An uploaded file on its way to the disk: piece by piece into our folder, under a name of ours."""

import os
from typing import Any, BinaryIO, Final

from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.template.defaultfilters import filesizeformat

from ingestion.uploads import files
from ingestion.uploads.acts import Received
from ingestion.views.answers import Refusal

FIELD: Final = "file"
_FORM_BYTES: Final = 64 * 1024
"""What a form adds to its file, generously."""


def refuse_larger(content_length: str, limit: int) -> None:
    """Raise Refusal before anything is read when the body is too large by its own word."""
    if content_length.isdecimal() and int(content_length) > limit + _FORM_BYTES:
        raise too_large(limit)


def too_large(limit: int) -> Refusal:
    """The refusal of a file beyond the limit."""
    text = filesizeformat(limit).replace("\xa0", " ")
    return Refusal(413, f"The file is larger than {text}. Compress it with gzip, or split it.")


class ToFolder(FileUploadHandler):
    """Takes the first file of a form. `received` is set when all of it is on the disk, `refusal` when it cannot be.

    Whoever makes one calls `discard` in the end, which deletes the file unless `taken` was set.
    """

    chunk_size = 2**20

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.received: Received | None = None
        self.refusal: Refusal | None = None
        self.taken = False
        self._limit, self._size = limit, 0
        self._stored_as = ""
        self._target: BinaryIO | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin; other parts of the form, and further files, are passed over."""
        super().new_file(*args, **kwargs)
        if self.field_name != FIELD or self._stored_as:
            raise SkipFile
        try:
            self._stored_as, self._target = files.create()
        except OSError as error:
            raise self._stop(_no_room(error)) from error

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a piece."""
        self._size += len(raw_data)
        if self._size > self._limit:
            raise self._stop(too_large(self._limit))
        if self._target is not None:
            try:
                self._target.write(raw_data)
            except OSError as error:
                raise self._stop(_no_room(error)) from error

    def file_complete(self, file_size: int) -> None:
        """All of it is here; on the disk before anything says so."""
        if self._target is None or self.received:
            return
        try:
            self._target.flush()
            os.fsync(self._target.fileno())
        except OSError as error:
            raise self._stop(_no_room(error)) from error
        self.received = Received(str(self.file_name), self._stored_as, self._size)

    def discard(self) -> None:
        """Close the file, and delete it unless an upload owns it now."""
        if self._target is not None:
            self._target.close()
        if self._stored_as and not self.taken:
            files.remove(self._stored_as)

    def _stop(self, refusal: Refusal) -> StopUpload:
        # The rest of the body is read and dropped: a browser shows no answer that comes before it has sent all.
        self.refusal = refusal
        return StopUpload(connection_reset=False)


def _no_room(error: OSError) -> Refusal:
    return Refusal(507, f"The portal cannot store the file ({error.strerror}). Tell whoever operates it.")
