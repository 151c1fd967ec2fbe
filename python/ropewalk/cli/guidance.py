"""How commands are grouped in `ropewalk --help`, and two examples of each."""

from __future__ import annotations

_TRY = "Try it without an account"
_PREPARE = "Before an import"
_IMPORT = "Import"
_LOOK = "Look at a project"
_QUALITY = "Measure and choose"

GROUPS = {
    "demo": _TRY,
    "emulator": _TRY,
    "formats": _PREPARE,
    "plan": _PREPARE,
    "convert": _PREPARE,
    "snapshot": _PREPARE,
    "inspect": _PREPARE,
    "map": _PREPARE,
    "preview": _PREPARE,
    "import": _IMPORT,
    "status": _IMPORT,
    "verify": _IMPORT,
    "rollback": _IMPORT,
    "promote": _IMPORT,
    "show": _LOOK,
    "projects": _LOOK,
    "ontology": _LOOK,
    "media": _LOOK,
    "data-mapping": _LOOK,
    "sync": _LOOK,
    "evaluate": _QUALITY,
    "prioritize": _QUALITY,
}

EXIT_CODES = "Exit codes: 0 done; 3 done, with rejects or differences; 1 stopped, failed or not confirmed; 2 usage."

EXAMPLES = {
    "demo": ("demo", "demo --out demo"),
    "emulator": (
        "emulator --project-file demo/project.json -- ropewalk import demo/predictions --branch model-1 --yes",
        'eval "$(ropewalk emulator --project-file demo/project.json --env)"',
    ),
    "formats": ("formats", "formats --json"),
    "plan": (
        "plan predictions/ --project HASH --branch model-1",
        "plan predictions/ --project-file project.json --branch model-1 --plan plan.html",
    ),
    "convert": (
        "convert predictions.json --out table.parquet",
        "convert mot/ --project-file project.json --out rows.ndjson",
    ),
    "snapshot": ("snapshot --project HASH --out project.json", 'snapshot --project "My project" --out project.json'),
    "import": (
        "import predictions.json --project HASH --branch model-1",
        "import runs/*.json --project HASH --branch model-1 --min-confidence 0.3 --yes --report report.json",
    ),
    "status": ("status", "status --branch model-1 --json"),
    "verify": (
        "verify predictions.json --project HASH --branch model-1",
        "verify predictions.json --project HASH --branch model-1 --out differences.ndjson",
    ),
    "rollback": (
        "rollback --project HASH --branch model-1",
        "rollback --project HASH --branch model-1 --also-edited --yes",
    ),
    "promote": (
        "promote --project HASH --branch model-1",
        "promote --project HASH --branch model-1 --to review --limit-rows 10",
    ),
    "show": ("show --project HASH --branch model-1", "show --project HASH --labels --media '*.mp4'"),
    "projects": ("projects", "projects --query street --json"),
    "ontology": ("ontology --project HASH", "ontology --project-file project.json --map --out classes.json"),
    "media": ("media --project HASH", "media --project HASH --media '*.mp4' --map --out media.json"),
    "data-mapping": ("data-mapping --project HASH", "data-mapping --project-file project.json --json"),
    "sync": ("sync --project HASH", "sync --project HASH --import-as metric"),
    "inspect": ("inspect predictions.json", "inspect mot/ --class Boat --project HASH --json"),
    "map": (
        "map classes predictions.json --project HASH --out classes.json",
        "map media predictions.json --project-file project.json --out media.json",
    ),
    "preview": (
        "preview predictions.json --media-dir frames/ --out preview.html",
        "preview predictions.json --project HASH --branch model-1",
    ),
    "evaluate": (
        "evaluate predictions.json --labels labels.json",
        "evaluate predictions.json --project HASH --iou segm",
    ),
    "prioritize": (
        "prioritize --project HASH --branch model-1 --priority-from confidence",
        "prioritize --project HASH --branch model-1 --priority-from disagreement --against model-0",
    ),
}
