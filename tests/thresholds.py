"""From which coverage on things count as present, as answers spell it: other weights may have others."""

from __future__ import annotations

from dsslic_search.core.vocabulary import default


def spelt(text: str) -> str:
    """``text`` with the threshold of a class or a group in place of its name in braces: "sky ≥ {sky}"."""
    return text.format_map(_Thresholds())


class _Thresholds(dict[str, str]):
    def __missing__(self, name: str) -> str:
        ours = default()
        groups = {group.name: group.members for group in ours.groups}
        members = groups[name] if name in groups else (ours.id_of(name),)
        return f"{100 * ours.presence(tuple(sorted(members))):g}%"
