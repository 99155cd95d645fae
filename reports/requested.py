"""What a server offers, and which of it a run has asked for."""

from collections.abc import Mapping

from pydantic import Field, NonNegativeInt

from reports.entry import Entry, Text


class ResourceEntry(Entry):
    """One method of one path that a server registers; `{name}` stands for one segment of the path.

    `answers` counts the requests of the run by class of their status (`2xx`). `areas` are those of the tests that ran
    when one was answered without a refusal.
    """

    method: Text
    path: Text
    servlets: tuple[Text, ...] = ()
    served_by: Text | None = Field(None, description="the pool of processes that the route table gives it to")
    answers: Mapping[Text, NonNegativeInt] = {}
    exercised: bool = Field(
        False, description="whether a request was answered without a refusal (2xx or 3xx)"
    )
    areas: tuple[Text, ...] = ()
    reason: Text | None = Field(None, description="why no test asks for it")
