"""Whether the SDK can open a label row: it is opened by the SDK itself, as `initialise_labels` does."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from encord.objects import LabelRowV2, OntologyStructure
from encord.ontology import Ontology
from encord.orm.label_row import LabelRowMetadata
from encord.orm.ontology import Ontology as OntologyRecord

from ropewalk.emulator.refusals import corrupted_label
from ropewalk.emulator.rows import RowHeader, listing_entry, with_server_header
from ropewalk.project.snapshot import Medium

log = logging.getLogger(__name__)


class RowOpener:
    """Opens label rows of a project.

    Args:
        structure: The ontology's structure, as the SDK writes it.
    """

    def __init__(self, structure: dict[str, Any]) -> None:
        self._structure = structure

    @cached_property
    def _ontology(self) -> Ontology | None:
        now = datetime.now(timezone.utc)
        try:
            structure = OntologyStructure.from_dict(self._structure)
        except Exception as e:
            # Such a project cannot be opened with this SDK, with or without label rows.
            log.warning("the installed encord SDK cannot read the ontology, so saved rows are not opened: %r", e)
            return None
        return Ontology(OntologyRecord("", structure, "", now, now), None)  # type: ignore[arg-type]

    def check(self, content: dict[str, Any], header: RowHeader, medium: Medium) -> None:
        """Open the content of one save, about 20 microseconds an object.

        Args:
            content: The label row that was sent.
            header: The label row that is stored.
            medium: Its data row.

        Raises:
            Refused: The SDK cannot open it; the message holds the SDK's own words.
        """
        if self._ontology is None:
            return
        entry = listing_entry(
            medium, header.branch_name, header, images_data=False, image_sizes=True, workflow_graph_node=None
        )
        try:
            row = LabelRowV2(LabelRowMetadata.from_dict(entry), None, self._ontology)  # type: ignore[arg-type]
            row.from_labels_dict(with_server_header(content, header, medium))
        except Exception as e:  # What a malformed row makes of the SDK may be anything.
            said = f"{type(e).__name__}: {e}"
            raise corrupted_label(f"label row {header.label_hash}: the SDK cannot open it ({said})") from e
