"""The plan of an import as a page of HTML."""

from __future__ import annotations

from html import escape

from ropewalk.importing.planned import ImportPlan
from ropewalk.pages.page import page, table
from ropewalk.text import count, size


def plan_page(plan: ImportPlan) -> str:
    """Make the page: what each class and each medium becomes, what is rejected, and what is worth a look."""
    title = f"Import into {plan.project_title}, branch {plan.branch}"
    sections = [
        f"<h1>{escape(title)}</h1>",
        f"<p>Project <code>{escape(plan.project_hash)}</code>. "
        f"{count(plan.annotations_planned, 'annotation')} of {plan.annotations_read:,} on "
        f"{count(len(plan.media), 'label row')}, {size(plan.len_bytes)}. "
        f"Label rows that hold other objects: {escape(plan.on_existing)}.</p>",
        "<h2>Classes</h2>",
        table(
            ("class", "becomes", "shape", "made from", "annotations", "warnings", "feature hash"),
            (
                (
                    c.name,
                    c.becomes,
                    c.shape.replace("_", " "),
                    c.made_from.replace("_", " "),
                    c.annotations,
                    named_counts(c.warnings),
                    c.feature_hash,
                )
                for c in plan.classes
            ),
        ),
    ]
    for heading, names in (
        ("Classes not found", plan.unresolved_classes),
        ("Media not found", plan.unresolved_media),
    ):
        if names:
            rows = ((u.name, u.code, u.annotations, ", ".join(u.nearest)) for u in names)
            sections += [f"<h2>{heading}</h2>", table(("name", "code", "annotations", "nearest"), rows)]
    if plan.rejects:
        rejected = ((r.code, r.annotations, r.message, r.place) for r in plan.rejects)
        sections += ["<h2>Rejected</h2>", table(("code", "annotations", "example", "where"), rejected)]
    if plan.filtered:
        sections += ["<h2>Left out</h2>", table(("reason", "annotations"), sorted(plan.filtered.items()))]
    if plan.warnings:
        warned = ((w.name, w.count, w.note) for w in plan.warnings)
        sections += ["<h2>Warnings</h2>", table(("warning", "count", "what it means"), warned)]
    media = (
        (
            *(named(m.name, m.names), m.title, m.data_hash, m.rule.replace("_", " ")),
            *(m.frames, m.annotations, m.tracks, size(m.len_bytes), "yes" if m.exists else ""),
        )
        for m in plan.media
    )
    columns = ("medium", "data unit", "data hash", "found by", "frames", "annotations", "tracks", "size", "exists")
    return page(title, "\n".join([*sections, "<h2>Media</h2>", table(columns, media)]))


def named(name: str, names: int) -> str:
    """Write a name, and how many more there are beside it."""
    return name if names == 1 else f"{name} and {names - 1:,} more"


def named_counts(counts: dict[str, int]) -> str:
    """Write counts in a line: `clipped 3, zero_area 1`."""
    return ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items()))
