"""Names of an ontology with their hashes: all levels, equal names apart, from a snapshot as from a live project."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from encord import EncordUserClient
from encord.objects import OntologyStructure, Shape
from encord.objects.attributes import ChecklistAttribute, RadioAttribute, TextAttribute
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate

from ropewalk import list_ontology
from ropewalk.emulator import running_emulator
from ropewalk.errors import SnapshotError
from snapshots import hash_of, make_snapshot


def rich_structure() -> dict[str, Any]:
    """Make an ontology with a skeleton, attributes, nested options and names that several things have."""
    structure = OntologyStructure()
    structure.add_object("Boat", Shape.BOUNDING_BOX, feature_node_hash="obj-bt-b")
    boat = structure.add_object("Boat", Shape.POLYGON, feature_node_hash="obj-bt-p")
    sail = boat.add_attribute(ChecklistAttribute, "Sails", feature_node_hash="att-sail", dynamic=True)
    sail.add_option("Jib", feature_node_hash="opt-jib1")
    sail.add_option("Jib", value="jib_2", feature_node_hash="opt-jib2")
    boat.add_attribute(TextAttribute, "Name", feature_node_hash="att-name", required=True)
    points = {
        str(n): SkeletonTemplateCoordinate(x=n, y=2 * n, name=name, feature_hash=f"pt-{name}")
        for n, name in enumerate(("nose", "left", "right"))
    }
    template = SkeletonTemplate(name="Figure", width=1, height=2, skeleton=points, skeleton_edges={})
    structure.add_skeleton_object("Sailor", template, feature_node_hash="obj-sail")
    fruit = structure.add_classification(feature_node_hash="cls-frut")
    kind = fruit.add_attribute(RadioAttribute, "Fruit", feature_node_hash="att-frut")
    apple = kind.add_option("Apple", feature_node_hash="opt-appl")
    nested = apple.add_nested_attribute(RadioAttribute, "Which", feature_node_hash="att-whch")
    nested.add_option("Gala", feature_node_hash="opt-gala")
    kind.add_option("Kiwi", feature_node_hash="opt-kiwi")
    return structure.to_dict()


def test_every_level_has_its_hashes() -> None:
    listed = list_ontology(make_snapshot(structure=rich_structure()))
    assert listed.ontology_hash == hash_of("ontology")
    assert [(o.name, o.shape, o.feature_hash) for o in listed.objects] == [
        ("Boat", "bounding_box", "obj-bt-b"),
        ("Boat", "polygon", "obj-bt-p"),
        ("Sailor", "skeleton", "obj-sail"),
    ]
    sails, name = listed.objects[1].attributes
    assert (sails.type, sails.dynamic, sails.attribute_hash) == ("checklist", True, "att-sail")
    assert [(o.name, o.feature_hash, o.attribute_hash, o.option_hash) for o in sails.options] == [
        ("Jib", "obj-bt-p", "att-sail", "opt-jib1"),
        ("Jib", "obj-bt-p", "att-sail", "opt-jib2"),
    ]
    assert (name.type, name.required, name.options) == ("text", True, ())
    assert [(p.name, p.feature_hash) for p in listed.objects[2].points] == [
        ("nose", "pt-nose"),
        ("left", "pt-left"),
        ("right", "pt-right"),
    ]
    (fruit,) = listed.classifications
    apple, kiwi = fruit.attributes[0].options
    assert (fruit.name, fruit.feature_hash) == ("Fruit", "cls-frut")
    assert (kiwi.feature_hash, kiwi.attribute_hash, kiwi.option_hash) == ("cls-frut", "att-frut", "opt-kiwi")
    (gala,) = apple.attributes[0].options
    assert (gala.name, gala.feature_hash, gala.attribute_hash, gala.option_hash) == (
        *("Gala", "cls-frut", "att-whch", "opt-gala"),
    )


def test_a_live_project_gives_what_its_snapshot_gives() -> None:
    snapshot = make_snapshot(structure=rich_structure())
    with running_emulator(snapshot) as running:
        client = EncordUserClient.create_with_ssh_private_key(
            ssh_private_key_path=running.ssh_key_path, domain=running.url
        )
        assert list_ontology(client.get_project(running.project_hash)) == list_ontology(snapshot)


def test_a_class_map_has_no_name_that_several_objects_have() -> None:
    listed = list_ontology(make_snapshot(structure=rich_structure()))
    assert listed.class_map() == {"Sailor": "obj-sail"}
    assert listed.shared_names() == ["Boat"]


def test_a_skeleton_of_an_older_ontology_finds_its_template_by_name() -> None:
    structure = rich_structure()
    template = structure["skeleton_templates"][0]["template"]
    template |= {"feature_node_hash": "of-its-own", "name": "Sailor"}
    other = {"template": template | {"name": "Other", "skeleton": {"0": template["skeleton"]["0"]}}}
    structure["skeleton_templates"].append(other)
    assert len(list_ontology(make_snapshot(structure=structure)).objects[2].points) == 3
    template["name"] = "Figure"
    assert list_ontology(make_snapshot(structure=structure)).objects[2].points == ()


def test_a_url_in_a_name_is_without_its_query() -> None:
    structure = rich_structure()
    structure["objects"][0]["name"] = "see https://files.example.com/a.png?X-Amz-Signature=canary"
    assert list_ontology(make_snapshot(structure=structure)).objects[0].name == "see https://files.example.com/a.png"


@pytest.mark.parametrize(
    "attributes",
    [7, [7], [{"name": "Sails"}], [{"name": "a", "type": "radio", "featureNodeHash": "h", "options": [{}]}]],
)
def test_an_ontology_that_is_none_is_said_with_its_place(attributes: Any) -> None:
    structure = rich_structure()
    structure["objects"][1]["attributes"] = attributes
    with pytest.raises(SnapshotError, match=r"objects\[1\]"):
        list_ontology(replace(make_snapshot(), ontology_structure=structure))
