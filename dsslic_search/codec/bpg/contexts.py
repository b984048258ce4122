"""The syntax elements of HEVC intra slices, their contexts, and how CABAC starts and moves (ITU-T H.265,
clauses 7.3.8, 9.3.2.2 and 9.3.4, tables 9-5 to 9-52)."""

from __future__ import annotations

import math

ELEMENTS = (
    "sao_merge_flag",
    "sao_type_idx",
    "sao_offset_abs",
    "sao_offset_sign",
    "sao_band_position",
    "sao_eo_class",
    "split_cu_flag",
    "cu_transquant_bypass_flag",
    "part_mode",
    "pcm_flag",
    "pcm_sample",
    "prev_intra_luma_pred_flag",
    "mpm_idx",
    "rem_intra_luma_pred_mode",
    "intra_chroma_pred_mode",
    "split_transform_flag",
    "cbf",
    "cu_qp_delta_abs",
    "cu_qp_delta_sign_flag",
    "cu_chroma_qp_offset",
    "log2_res_scale_abs_plus1",
    "res_scale_sign_flag",
    "transform_skip_flag",
    "last_sig_coeff_prefix",
    "last_sig_coeff_suffix",
    "coded_sub_block_flag",
    "sig_coeff_flag",
    "coeff_abs_level_greater1_flag",
    "coeff_abs_level_greater2_flag",
    "coeff_sign_flag",
    "coeff_abs_level_remaining",
    "end_of_slice_segment_flag",
)
"""Named as in the standard, where those that differ in a direction or a component only have one name."""

_WITHOUT = (*ELEMENTS[6:10], *ELEMENTS[11:14], *ELEMENTS[14:16], *ELEMENTS[17:20], ELEMENTS[31], ELEMENTS[0])
BY_COMPONENT = frozenset(ELEMENTS) - frozenset(_WITHOUT)
"""Those that are of luma, Cb or Cr alone."""

# Where each is in ELEMENTS, times 3: what is of Cb or Cr comes 1 or 2 places after.
SAO_MERGE, SAO_TYPE, SAO_OFFSET, SAO_SIGN, SAO_BAND, SAO_CLASS = range(0, 18, 3)
SPLIT_CU, CU_BYPASS, PART_MODE, PCM_FLAG, PCM_SAMPLE, PREV_INTRA, MPM_IDX, REM_MODE = range(18, 42, 3)
CHROMA_MODE, SPLIT_TRANSFORM, CBF, QP_DELTA, QP_SIGN, CHROMA_QP, RES_SCALE, RES_SIGN = range(42, 66, 3)
TRANSFORM_SKIP, LAST_PREFIX, LAST_SUFFIX, CODED_SUB_BLOCK, SIG_COEFF = range(66, 81, 3)
GREATER1, GREATER2, COEFF_SIGN, REMAINING, END_OF_SLICE = range(81, 96, 3)
COSTS_COUNT = 96

_START = (
    (153,),  # sao_merge_flag
    (200,),  # sao_type_idx
    (139, 141, 157),  # split_cu_flag
    (154,),  # cu_transquant_bypass_flag
    (184,),  # part_mode
    (184,),  # prev_intra_luma_pred_flag
    (63,),  # intra_chroma_pred_mode
    (153, 138, 138),  # split_transform_flag
    (111, 141),  # cbf_luma
    (94, 138, 182, 154, 154),  # cbf_cb, cbf_cr
    (154, 154),  # cu_qp_delta_abs
    (154, 154),  # cu_chroma_qp_offset_flag, cu_chroma_qp_offset_idx
    (154,) * 8,  # log2_res_scale_abs_plus1
    (154, 154),  # res_scale_sign_flag
    (139, 139),  # transform_skip_flag
    # last_sig_coeff_x_prefix, last_sig_coeff_y_prefix
    *((110, 110, 124, 125, 140, 153, 125, 127, 140, 109, 111, 143, 127, 111, 79, 108, 123, 63),) * 2,
    (91, 171, 134, 141),  # coded_sub_block_flag
    # sig_coeff_flag; the last two: of blocks without a transform
    (
        *(111, 111, 125, 110, 110, 94, 124, 108, 124, 107, 125, 141, 179, 153, 125, 107, 125, 141, 179, 153),
        *(125, 107, 125, 141, 179, 153, 125, 140, 139, 182, 182, 152, 136, 152, 136, 153, 136, 139, 111, 136),
        *(139, 111),
        *(141, 111),
    ),
    # coeff_abs_level_greater1_flag
    (140, 92, 137, 138, 140, 152, 138, 139, 153, 74, 149, 92, 139, 107, 122, 152)
    + (140, 179, 166, 182, 140, 227, 122, 197),
    (138, 153, 136, 167, 152, 152),  # coeff_abs_level_greater2_flag
)  # fmt: skip
_PLACES = [sum(map(len, _START[:count])) for count in range(len(_START) + 1)]
AT_SAO_MERGE, AT_SAO_TYPE, AT_SPLIT_CU, AT_CU_BYPASS, AT_PART_MODE, AT_PREV_INTRA = _PLACES[:6]
AT_CHROMA_MODE, AT_SPLIT_TRANSFORM, AT_CBF_LUMA, AT_CBF_CHROMA, AT_QP_DELTA, AT_CHROMA_QP = _PLACES[6:12]
AT_RES_SCALE, AT_RES_SIGN, AT_TRANSFORM_SKIP, AT_LAST_X, AT_LAST_Y, AT_CODED_SUB_BLOCK = _PLACES[12:18]
AT_SIG_COEFF, AT_GREATER1, AT_GREATER2 = _PLACES[18:21]
RICE_STATS = _PLACES[21]  # four counters, which start at 0, behind the contexts
CONTEXT_COUNT = RICE_STATS + 4

# Sizes of the part of a range that the less likely value has: by state, and by the range's two bits under
# its first.
LPS_SIZES = (
    (128, 176, 208, 240), (128, 167, 197, 227), (128, 158, 187, 216), (123, 150, 178, 205),
    (116, 142, 169, 195), (111, 135, 160, 185), (105, 128, 152, 175), (100, 122, 144, 166),
    (95, 116, 137, 158), (90, 110, 130, 150), (85, 104, 123, 142), (81, 99, 117, 135),
    (77, 94, 111, 128), (73, 89, 105, 122), (69, 85, 100, 116), (66, 80, 95, 110),
    (62, 76, 90, 104), (59, 72, 86, 99), (56, 69, 81, 94), (53, 65, 77, 89),
    (51, 62, 73, 85), (48, 59, 69, 80), (46, 56, 66, 76), (43, 53, 63, 72),
    (41, 50, 59, 69), (39, 48, 56, 65), (37, 45, 54, 62), (35, 43, 51, 59),
    (33, 41, 48, 56), (32, 39, 46, 53), (30, 37, 43, 50), (29, 35, 41, 48),
    (27, 33, 39, 45), (26, 31, 37, 43), (24, 30, 35, 41), (23, 28, 33, 39),
    (22, 27, 32, 37), (21, 26, 30, 35), (20, 24, 29, 33), (19, 23, 27, 31),
    (18, 22, 26, 30), (17, 21, 25, 28), (16, 20, 23, 27), (15, 19, 22, 25),
    (14, 18, 21, 24), (14, 17, 20, 23), (13, 16, 19, 22), (12, 15, 18, 21),
    (12, 14, 17, 20), (11, 14, 16, 19), (11, 13, 15, 18), (10, 12, 15, 17),
    (10, 12, 14, 16), (9, 11, 13, 15), (9, 11, 12, 14), (8, 10, 12, 14),
    (8, 9, 11, 13), (7, 9, 11, 12), (7, 9, 10, 12), (7, 8, 10, 11),
    (6, 8, 9, 11), (6, 7, 9, 10), (6, 7, 8, 9), (2, 2, 2, 2),
)  # fmt: skip
# The state after the less likely value came.
AFTER_LPS = (
    0, 0, 1, 2, 2, 4, 4, 5, 6, 7, 8, 9, 9, 11, 11, 12, 13, 13, 15, 15, 16, 16, 18, 18, 19, 19, 21, 21, 22, 22,
    23, 24, 24, 25, 26, 26, 27, 27, 28, 29, 29, 30, 30, 30, 31, 32, 32, 33, 33, 33, 34, 34, 35, 35, 35, 36,
    36, 36, 37, 37, 37, 38, 38, 63,
)  # fmt: skip
BIT = 1 << 16  # costs are in parts of a bit, of which one has so many


def started(qp: int) -> list[int]:
    """All contexts before a slice of SliceQpY ``qp``: 2 * state + the likelier value each, and counters."""
    states = []
    for value in (value for values in _START for value in values):
        slope, offset = 5 * (value >> 4) - 45, 8 * (value & 15) - 16
        state = min(max(1, (slope * min(max(0, qp), 51) >> 4) + offset), 126)
        states.append(2 * (state - 64) + 1 if state > 63 else 2 * (63 - state))
    return states + [0] * (CONTEXT_COUNT - RICE_STATS)


def moved() -> tuple[list[int], list[int]]:
    """For each context as :func:`started` has it: what it is after the likelier value, and after the
    other."""
    both = [(state, value) for state in range(64) for value in (0, 1)]
    likelier = [2 * (min(state + 1, 62) if state < 62 else state) + value for state, value in both]
    other = [2 * AFTER_LPS[state] + (value if state else 1 - value) for state, value in both]
    return likelier, other


def logarithms() -> list[int]:
    """Log2 of 0..511 in 1/65536 bits; of 0: 0."""
    return [round(BIT * math.log2(size)) if size else 0 for size in range(512)]
