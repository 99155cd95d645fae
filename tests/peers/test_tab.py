"""What a tab says of a failure."""

from __future__ import annotations

import pytest

from fixtures.peers.browser.tab import PageError, Refusal, without_tokens


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("GET https://matrix.test/x?access_token=abc&b=1", "GET https://matrix.test/x?[token]&b=1"),
        ("Authorization: Bearer abc.def", "Authorization: [token]"),
        ("no such token: syt_YWxpY2U_abc-DEF_1x2", "no such token: [token]"),
        ("blocked by CORS policy", "blocked by CORS policy"),
    ],
)
def test_no_token_is_kept(said: str, kept: str) -> None:
    """Of a query, a header, or by its form."""
    assert without_tokens(said) == kept


def test_a_refusal_that_the_browser_hides_says_so() -> None:
    """Without a status: the message says that the page may read nothing, and what the browser complained of."""
    refusal = Refusal("ConnectionError", "fetch failed", None, None, None)
    said = str(PageError("send", refusal, ["blocked by CORS policy"]))
    assert "nothing that the page may read" in said
    assert "blocked by CORS policy" in said
