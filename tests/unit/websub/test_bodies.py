"""How much of what hubs send is held at once."""

import pytest

from ingest.websub.bodies import Budget, Full, Share


def test_shares_never_exceed_the_budget() -> None:
    budget = Budget(100)
    one, two = Share(budget), Share(budget)
    one.grow_to(60)
    one.grow_to(50)
    two.grow_to(40)
    with pytest.raises(Full):
        two.grow_to(41)
    assert (one.size, two.size, budget.held) == (60, 40, 100)
    one.release()
    one.release()
    two.grow_to(100)
    two.release()
    assert budget.held == 0
