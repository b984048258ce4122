from __future__ import annotations

import torch
from torch import nn

from dsslic_search.networks.restorer import Restorer, RestorerConfig
from dsslic_search.networks.unfilled import Unfilled


def test_networks_are_made_without_initial_values() -> None:
    kept = torch.full((2, 2), 7.0)
    with Unfilled():
        for fill in (nn.init.zeros_, nn.init.normal_, nn.init.kaiming_uniform_):
            assert fill(kept) is kept
        nn.init.normal_(tensor=kept)
    assert (kept == 7).all()
    nn.init.zeros_(kept)
    assert not kept.any()


def test_the_loaded_network_is_the_saved_one() -> None:
    config = RestorerConfig(classes=3, width=4, deep=4, blocks=1)
    net = Restorer(config)
    with torch.device("meta"), Unfilled():
        made = Restorer(config)
    made.load_state_dict(net.state_dict(), assign=True)
    decoded, labels, qp = torch.rand(1, 3, 16, 16), torch.zeros(1, 4, 4, dtype=torch.int64), torch.ones(1)
    assert torch.equal(made(decoded, labels, qp), net(decoded, labels, qp))
