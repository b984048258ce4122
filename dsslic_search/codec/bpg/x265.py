"""What x265 is told for a lone intra picture: how hard to search, and everything else."""

from __future__ import annotations

from enum import StrEnum

from dsslic_search.core.kinds import Tune

PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)


class Search(StrEnum):
    """What x265 tries beside what its preset says.

    PLAIN: nothing. PHOTO: what pays on photos: chroma a QP finer, a deblocking filter that is weaker by one
    step (restoration smooths what it leaves), two depths of transforms, and rate-distortion level 2, since
    level 3 and three depths take a fifth more time for 0.3 % fewer bytes, and level 4 as much again for
    hardly any.
    EVERYTHING: three depths of transforms, and transform skipping as well, which few photos and most graphics
    gain by, at the preset's level.
    """

    PLAIN = "plain"
    PHOTO = "photo"
    EVERYTHING = "everything"


_DEBLOCKING = {Search.PLAIN: "0,0", Search.PHOTO: "-1,-1", Search.EVERYTHING: "-1,-1"}
_CHROMA = ":cbqpoffs=-1:crqpoffs=-1"
_MORE = {
    Search.PLAIN: "",
    Search.PHOTO: f"{_CHROMA}:tu-intra-depth=2:rd=2",
    Search.EVERYTHING: f"{_CHROMA}:tu-intra-depth=3:tskip=1",
}


def parameters(qp: int, lossless: bool, coding_block: int, search: Search, tune: Tune = Tune.PSNR) -> str:
    """x265's parameters, as its ``x265-params`` has them. ``qp``: 0..51; ``coding_block``: samples a side of
    the smallest coding block, 8 or 16.

    ``ipratio`` 1 keeps an intra picture's QP equal to ``qp``; psychovisual tuning is off, and so, but for
    SSIM, is adaptive quantisation, because they spend bits on what PSNR does not see. With a QP alone x265
    leaves adaptive quantisation out, so for SSIM a rate factor stands for it, which ``qcomp`` 1 keeps from
    depending on the picture: the slice has the QP, and blocks of 32 samples differ from it by their variance
    beside the picture's (mode 2). One thread and no wavefronts make the bytes
    reproducible. Rate-distortion optimised quantisation is left to the preset: level 2 from "slow" on, which
    is most of what "slow" costs and gains (3.5 % of the bytes). ``splitrd-skip`` leaves splits early that
    cannot win any more, which changes no byte of an intra picture.
    """
    if lossless:
        quantiser = "lossless=1:aq-mode=0"
    elif tune is Tune.SSIM:
        quantiser = f"crf={qp}:qcomp=1:aq-mode=2:aq-strength=1"
    else:
        quantiser = f"qp={qp}:aq-mode=0"
    return (
        f"{quantiser}:ipratio=1:pbratio=1:psy-rd=0:psy-rdoq=0:cutree=0:sao=1"
        f":deblock={_DEBLOCKING[search]}:min-cu-size={coding_block}:keyint=1:bframes=0:rc-lookahead=0:scenecut=0"
        ":repeat-headers=1:info=0:hash=0:scaling-list=off:splitrd-skip=1:pools=none:frame-threads=1:wpp=0:lookahead-slices=0"
        f":slices=1:allow-non-conformance=1:log-level=none{_MORE[search]}"
    )
