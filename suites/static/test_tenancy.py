"""To whom pods belong, and what they may ask of Kubernetes."""

import pytest

from fixtures.plugins.judging import Judge
from fixtures.rendering.rules.tenancy import confused_selectors, needless_tokens, open_namespaces


@pytest.mark.requirement("STA-026")
def test_pods_get_no_token_that_they_do_not_use(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Only pods whose account is bound to a role mount its token."""
    judge(needless_tokens)


@pytest.mark.requirement("STA-027")
def test_selectors_take_their_own_pods_only(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Pods have labels; a workload's selector takes those of its template."""
    judge(confused_selectors)


@pytest.mark.requirement("STA-027")
def test_namespaces_enforce_restricted_pods(judge: Judge) -> None:
    """Precondition: the overlays are rendered. Each namespace in use is there, and enforces Pod Security restricted."""
    judge(open_namespaces)
