"""Sequence parameter sets against a plain list of the standard's syntax elements, each as bits in text."""

from __future__ import annotations

import pytest

from dsslic_search.codec.bpg.bits import BitReader, BitWriter, escape, nal_layer, nal_type
from dsslic_search.codec.bpg.parameters import (
    CodingTools,
    PulseCode,
    SequenceParameters,
    parse_sps,
    read_range_extension,
    write_range_extension,
    write_sps,
    write_vps,
)
from dsslic_search.core.errors import FormatError

TOOLS = CodingTools(0, 2, 0, 3, 1, True, False)
PARAMETERS = SequenceParameters("420", 64, 48, 64, 48, 10, TOOLS)


def u(value: int, count: int) -> str:
    return f"{value:0{count}b}"


def ue(value: int) -> str:
    bits = f"{value + 1:b}"
    return "0" * (len(bits) - 1) + bits


def sps(**changed: str) -> bytes:
    """The SPS NAL unit of ``PARAMETERS``, with some of its syntax elements changed (7.3.2.2)."""
    elements = {
        "parameter_set_id": u(0, 4),
        "max_sub_layers_minus1": u(0, 3),
        "temporal_id_nesting": u(1, 1),
        "profile_tier_level": u(0, 96),
        "id": ue(0),
        "chroma_format_idc": ue(1),
        "width": ue(64),
        "height": ue(48),
        "conformance_window": u(0, 1),
        "bit_depth_luma_minus8": ue(2),
        "bit_depth_chroma_minus8": ue(2),
        "log2_max_pic_order_cnt_lsb_minus4": ue(4),
        "sub_layer_ordering_info": u(1, 1) + ue(0) * 3,
        "log2_min_luma_coding_block_size_minus3": ue(0),
        "log2_diff_max_min_luma_coding_block_size": ue(2),
        "log2_min_luma_transform_block_size_minus2": ue(0),
        "log2_diff_max_min_luma_transform_block_size": ue(3),
        "max_transform_hierarchy_depth_inter": ue(1),
        "max_transform_hierarchy_depth_intra": ue(1),
        "scaling_lists": u(0, 1),
        "amp": u(1, 1),
        "sample_adaptive_offset": u(1, 1),
        "pcm": u(0, 1),
        "short_term_sets": ue(0),
        "long_term_pictures": u(0, 1),
        "temporal_motion_vectors": u(1, 1),
        "strong_intra_smoothing": u(0, 1),
        "vui": u(0, 1),
        "extension": u(0, 1),
    }
    assert set(changed) <= set(elements)
    bits = "".join((elements | changed).values()) + "1"
    bits += "0" * (-len(bits) % 8)
    return b"\x42\x01" + escape(int(bits, 2).to_bytes(len(bits) // 8, "big"))


def test_the_elements_are_read_in_the_standards_order() -> None:
    assert parse_sps(sps()) == PARAMETERS


@pytest.mark.parametrize(
    ("chroma", "coded", "shown"),
    [(0, "400", (57, 28)), (1, "420", (50, 8)), (2, "422", (50, 28)), (3, "444", (57, 28))],
)
def test_the_conformance_window_is_in_units_of_chroma_samples(
    chroma: int, coded: str, shown: tuple[int, int]
) -> None:
    separate_planes = u(0, 1) if coded == "444" else ""
    window = u(1, 1) + ue(3) + ue(4) + ue(9) + ue(11)  # left, right, top, bottom
    found = parse_sps(sps(chroma_format_idc=ue(chroma) + separate_planes, conformance_window=window))
    assert (found.chroma, found.width, found.height) == (coded, 64, 48)
    assert (found.shown_width, found.shown_height) == shown


@pytest.mark.parametrize(("sides", "empty"), [((31, 23), False), ((32, 23), True), ((31, 24), True)])
def test_a_window_that_shows_nothing_is_refused(sides: tuple[int, int], empty: bool) -> None:
    unit = sps(conformance_window=u(1, 1) + ue(sides[0]) + ue(0) + ue(sides[1]) + ue(0))
    if not empty:
        assert (parse_sps(unit).shown_width, parse_sps(unit).shown_height) == (2, 2)
        return
    with pytest.raises(FormatError, match="an empty picture"):
        parse_sps(unit)


@pytest.mark.parametrize(
    ("element", "largest"),
    [
        ("id", 15),
        ("log2_max_pic_order_cnt_lsb_minus4", 12),
        ("log2_min_luma_coding_block_size_minus3", 3),
        ("log2_diff_max_min_luma_coding_block_size", 3),
        ("log2_min_luma_transform_block_size_minus2", 3),
        ("log2_diff_max_min_luma_transform_block_size", 3),
        ("max_transform_hierarchy_depth_inter", 4),
        ("max_transform_hierarchy_depth_intra", 4),
        ("short_term_sets", 0),
    ],
)
def test_what_an_element_may_be_at_most(element: str, largest: int) -> None:
    parse_sps(sps(**{element: ue(largest)}))
    with pytest.raises(FormatError, match=f"holds {largest + 1} where at most {largest} is allowed"):
        parse_sps(sps(**{element: ue(largest + 1)}))


def test_bit_depths_up_to_sixteen_that_are_equal() -> None:
    deep = sps(bit_depth_luma_minus8=ue(8), bit_depth_chroma_minus8=ue(8))
    assert parse_sps(deep).bit_depth == 16
    with pytest.raises(FormatError, match="at most 8"):
        parse_sps(sps(bit_depth_luma_minus8=ue(9), bit_depth_chroma_minus8=ue(9)))
    with pytest.raises(FormatError, match="different bit depths"):
        parse_sps(sps(bit_depth_chroma_minus8=ue(3)))


ASPECT, OWN_ASPECT = u(1, 1) + u(1, 8), u(1, 1) + u(255, 8) + u(0xFFFFFFFF, 32)
OVERSCAN = u(1, 1) + u(1, 1)
SIGNAL, COLOURS = u(1, 1) + u(0b1011, 4) + u(0, 1), u(1, 1) + u(0b1011, 4) + u(1, 1) + u(0x1FFFF, 24)
CHROMA = u(1, 1) + ue(5) + ue(0)
FIELDS = u(0b111, 3)
WINDOW = u(1, 1) + ue(1) + ue(2) + ue(0) + ue(7)
TIMING = u(1, 1) + u(2**64 - 1, 64) + u(1, 1) + ue(6) + u(0, 1)
PLAIN_TIMING = u(1, 1) + u(2**64 - 1, 64) + u(0, 1) + u(0, 1)
RESTRICTIONS = u(1, 1) + u(0b101, 3) + ue(1) + ue(2) + ue(3) + ue(0) + ue(5)
NO = u(0, 1)


@pytest.mark.parametrize(
    "vui",
    [
        NO * 4 + FIELDS + NO * 3,
        ASPECT + NO * 3 + FIELDS + NO * 3,
        OWN_ASPECT + NO * 3 + FIELDS + NO * 3,
        NO + OVERSCAN + NO * 2 + FIELDS + NO * 3,
        NO * 2 + SIGNAL + NO + FIELDS + NO * 3,
        NO * 2 + COLOURS + NO + FIELDS + NO * 3,
        NO * 3 + CHROMA + FIELDS + NO * 3,
        NO * 4 + FIELDS + WINDOW + NO * 2,
        NO * 4 + FIELDS + NO + TIMING + NO,
        NO * 4 + FIELDS + NO + PLAIN_TIMING + NO,
        NO * 4 + FIELDS + NO * 2 + RESTRICTIONS,
        OWN_ASPECT + OVERSCAN + COLOURS + CHROMA + FIELDS + WINDOW + TIMING + RESTRICTIONS,
    ],
)
def test_usability_information_is_passed_over(vui: str) -> None:
    """What comes after it is still found."""
    flags = (False, True, False, False, True, True, False, True, True)
    extension = u(0b11, 2) + u(0, 7) + "".join(str(int(flag)) for flag in flags)
    found = parse_sps(sps(strong_intra_smoothing=u(1, 1), vui=u(1, 1) + vui, extension=extension))
    assert found.tools.range_extension == flags
    assert found.tools.strong_intra_smoothing


def test_a_broadcasts_buffering_parameters_are_refused() -> None:
    timing = u(1, 1) + u(0, 64) + u(0, 1) + u(1, 1)
    with pytest.raises(FormatError, match="buffering parameters"):
        parse_sps(sps(vui=u(1, 1) + NO * 4 + FIELDS + NO + timing))


@pytest.mark.parametrize("lsb_bits_minus4", [0, 4, 12])
def test_long_term_pictures_are_passed_over(lsb_bits_minus4: int) -> None:
    pictures = (
        u(1, 1) + ue(3) + "".join(u(2 ** (lsb_bits_minus4 + 5) - 1, lsb_bits_minus4 + 5) for _ in "abc")
    )
    unit = sps(log2_max_pic_order_cnt_lsb_minus4=ue(lsb_bits_minus4), long_term_pictures=pictures)
    assert parse_sps(unit) == PARAMETERS
    with pytest.raises(FormatError, match="at most 32"):
        parse_sps(sps(long_term_pictures=u(1, 1) + ue(33) + u(0, 33 * 9)))
    assert parse_sps(sps(long_term_pictures=u(1, 1) + ue(32) + u(0, 32 * 9))) == PARAMETERS


def test_extensions_other_than_that_of_ranges_are_refused() -> None:
    for bit in range(7):
        with pytest.raises(FormatError, match="multilayer, 3D or screen content"):
            parse_sps(sps(extension=u(0b10, 2) + u(1 << bit, 7)))
    assert parse_sps(sps(extension=u(0b10, 2) + u(0, 7))).tools.range_extension is None


def test_layers_planes_apart_and_scaling_lists_are_refused() -> None:
    with pytest.raises(FormatError, match="temporal layers"):
        parse_sps(sps(max_sub_layers_minus1=u(1, 3)))
    with pytest.raises(FormatError, match="separately"):
        parse_sps(sps(chroma_format_idc=ue(3) + u(1, 1)))
    with pytest.raises(FormatError, match="scaling lists"):
        parse_sps(sps(scaling_lists=u(1, 1)))


@pytest.mark.parametrize("chroma", ["400", "420", "422", "444"])
@pytest.mark.parametrize("bit_depth", [8, 12])
@pytest.mark.parametrize(
    "tools",
    [
        TOOLS,
        CodingTools(1, 2, 3, 0, 4, False, True, PulseCode(7, 9, 1, 2, True)),
        CodingTools(3, 0, 1, 2, 0, True, True, PulseCode(0, 15, 3, 0, False), (True, *[False] * 7, True)),
    ],
)
def test_what_is_written_is_read_and_shows_all(chroma: str, bit_depth: int, tools: CodingTools) -> None:
    parameters = SequenceParameters(chroma, 1000, 24, 1000, 24, bit_depth, tools)
    assert parse_sps(write_sps(parameters)) == parameters


@pytest.mark.parametrize(
    ("unit", "kind"), [(write_vps(), 32), (write_sps(PARAMETERS), 33)], ids=["VPS", "SPS"]
)
def test_units_are_of_the_base_layer_and_the_first_temporal_one(unit: bytes, kind: int) -> None:
    assert (nal_type(unit), nal_layer(unit), unit[1] & 7) == (kind, 0, 1)  # nuh_temporal_id_plus1


@pytest.mark.parametrize("flags", [None, (True,) * 9, (False, True, True, *[False] * 6)])
def test_range_extensions_come_back(flags: tuple[bool, ...] | None) -> None:
    writer = BitWriter()
    write_range_extension(writer, flags)
    assert read_range_extension(BitReader(writer.to_bytes(), "the test")) == flags
