"""Data sets as other tools write them, and those that are broken: errors by name, and the rest lands."""

import json

import pytest

from annotations.exporters import tfrecord
from annotations.importers.base import StagedFile
from annotations.importers.formats import recognising
from annotations.importers.tables import pictures
from annotations.services import storage
from tests.annotations import files


@pytest.fixture(autouse=True)
def empty_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMPORT_ROOTS = []


def sent(members):
    """The files as an archive stages them."""
    staged = []
    for number, (name, data) in enumerate(members.items()):
        key = f"staging/test/{number:06d}"
        storage.put(key, data if isinstance(data, bytes) else json.dumps(data).encode())
        staged.append(StagedFile(name, key))
    return tuple(staged)


def read(members):
    """What lands: the words of each picture by its name, and the errors."""
    batch = recognising.taken(sent(members), "staging/test")
    offered = list(pictures.offered(batch.tables, batch.files))
    said = {one.name: one.words for one in offered if hasattr(one, "words")}
    errors = [*batch.errors, *(one for one in offered if hasattr(one, "code"))]
    return said, [(error.item, error.code) for error in errors]


def tags(members):
    said, errors = read(members)
    assert errors == []
    return {name: (words.tags, words.no) for name, words in said.items()}


PICTURE = b"its bytes are looked at later"
COCO = {
    "info": {"year": 2017},
    "annotations": [
        {"id": 1, "image_id": 9, "category_id": 18, "bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 3, 4]]},
        {"id": 2, "image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0},
        {"id": 3, "image_id": 9, "category_id": 18, "bbox": [5, 6, 3, 4]},
        {"id": 4, "image_id": 9, "category_id": 1, "bbox": [5, 6, 3, 4]},
    ],
    "images": [{"id": number, "file_name": f"{number:04d}.jpg"} for number in (7, 9, 11)],
    "categories": [{"id": 1, "name": "person", "supercategory": "person"}, {"id": 18, "name": "dog"}],
}  # fmt: skip


def test_instances_of_coco_are_tags_whatever_the_order_of_the_document():
    members = {f"val2017/{name}.jpg": PICTURE for name in ("0007", "0009", "0011")}
    members |= {f"train/{name}.jpg": PICTURE for name in ("0007",)}
    members |= {"annotations/instances_val.json": COCO}
    members = {name.replace("val2017", "images/val"): data for name, data in members.items()}
    assert tags(members) == {
        "images/val/0007.jpg": (("person",), ()),
        "images/val/0009.jpg": (("dog", "person"), ()),
        "images/val/0011.jpg": ((), ()),
        "train/0007.jpg": ((), ()),
    }


def test_captions_of_coco_are_captions():
    said = {
        "images": [{"id": 7, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 7, "caption": "A dog."}, {"image_id": 7, "caption": "Another."}],
    }
    words, errors = read({"captions_val2017.json": said, "a.jpg": PICTURE})
    assert (words["a.jpg"].caption, words["a.jpg"].metadata, errors) == ("A dog.", {"split": "val"}, [])


def test_numbers_that_coco_does_not_name_are_told_and_the_rest_lands():
    broken = {
        "categories": [{"id": 1, "name": "dog"}, {"id": 2}],
        "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}, 5],
        "annotations": [
            {"image_id": 1, "category_id": 1},
            {"image_id": 1, "category_id": 99},
            {"image_id": 77, "category_id": 1},
            "x",
        ],
    }
    words, errors = read({"c.json": broken, "a.jpg": PICTURE})
    assert words["a.jpg"].tags == ("dog",)
    assert sorted(errors) == [
        ("c.json", "bad_category"),
        ("c.json", "unknown_image"),
        ("c.json, annotation 2", "unknown_category"),
        ("c.json, annotation 4", "bad_element"),
        ("c.json, image 2", "repeated_image"),
        ("c.json, image 3", "bad_element"),
    ]


def test_of_a_document_that_breaks_off_what_came_before_lands():
    whole = {"categories": COCO["categories"], "images": COCO["images"], "annotations": COCO["annotations"]}
    cut = json.dumps(whole).encode()[:-80]
    words, errors = read({"c.json": cut, "0007.jpg": PICTURE, "0009.jpg": PICTURE, "0011.jpg": PICTURE})
    assert words["0007.jpg"].tags == ("person",)
    assert errors == [("c.json", "damaged_document")]


def test_a_document_nested_without_end_costs_no_memory_and_no_other_image():
    deep = b"[" * 100_000 + b"]" * 100_000
    document = (
        b'{"deep":' + deep + b',"categories":[{"id":1,"name":"dog","more":' + deep + b"}],"
        b'"images":[{"id":1,"file_name":"a.jpg","x":' + deep + b"},"
        b'{"id":2,"file_name":"b.jpg"}],"annotations":[{"image_id":2,"category_id":1}]}'
    )
    assert tags({"c.json": document, "a.jpg": PICTURE, "b.jpg": PICTURE}) == {
        "a.jpg": ((), ()),
        "b.jpg": (("dog",), ()),
    }


def choices(*names, of="objects"):
    return {"from_name": of, "to_name": "image", "type": "choices", "value": {"choices": list(names)}}


def box(name):
    return {"from_name": "boxes", "type": "rectanglelabels", "value": {"x": 1, "rectanglelabels": [name]}}


def test_what_all_annotators_of_label_studio_say_is_a_yes_and_the_rest_is_in_dispute():
    def task(image, *annotations):
        return {"id": 1, "data": {"image": image}, "annotations": list(annotations), "predictions": []}

    agreed = [
        {"result": [choices("dog", "cat")]},
        {"result": [choices("dog")]},
        {"result": [choices("day", of="time")]},
    ]
    dropped = [
        {"result": [box("dog"), box("dog"), choices("day", of="time")]},
        {"result": [], "was_cancelled": True},
    ]
    members = {
        "export.json": [
            task("/data/upload/3/0a1b2c3d-a.jpg", *agreed),
            task("/data/local-files/?d=photos/b%20b.jpg", *dropped),
            task("s3://bucket/photos/c.jpg"),
            "odd",
        ],
        "a.jpg": PICTURE, "photos/b b.jpg": PICTURE, "photos/c.jpg": PICTURE,
    }  # fmt: skip
    words, errors = read(members)
    assert {name: said.tags for name, said in words.items()} == {
        "a.jpg": ("dog", "day"),
        "photos/b b.jpg": ("dog", "day"),
        "photos/c.jpg": (),
    }
    assert words["a.jpg"].disputed == ("cat",)
    assert errors == [("export.json, task 4", "bad_element")]


def test_the_latest_prediction_of_label_studio_is_what_another_model_suggests():
    def predicted(image, *predictions):
        return {"id": 1, "data": {"image": image}, "predictions": list(predictions)}

    older = {"model_version": "v1", "score": 0.9, "result": [choices("horse")]}
    newer = {
        "model_version": "v2",
        "score": 0.7,
        "result": [choices("dog") | {"score": 0.95}, choices("cat", of="more"), box("dog") | {"score": 0.2}],
    }
    odd = {"model_version": {}, "score": "high", "result": [choices("bird", " "), "odd", {"value": None}]}
    members = {
        "export.json": [
            predicted("a.jpg", older, newer),
            predicted("b.jpg", newer, {"model_version": "v3", "result": []}),
            predicted("c.jpg", odd) | {"annotations": [{"result": [choices("fish")]}]},
            predicted("d.jpg", {"model_version": "v4", "result": 7}, "odd"),
        ],
        **{f"{name}.jpg": PICTURE for name in "abcd"},
    }  # fmt: skip
    words, errors = read(members)
    assert errors == []
    assert {
        name: said.suggested and (said.suggested.model, said.suggested.scores) for name, said in words.items()
    } == {
        "a.jpg": ("v2", {"dog": 0.95, "cat": 0.7}),
        "b.jpg": ("v2", {"dog": 0.95, "cat": 0.7}),
        "c.jpg": ("another model", {"bird": 0.5}),
        "d.jpg": None,
    }
    assert {name: said.tags for name, said in words.items() if said.tags} == {"c.jpg": ("fish",)}


def test_tags_of_open_images_are_the_names_that_people_see():
    labels = (
        b"ImageID,Source,LabelName,Confidence\n"
        b"000a,verification,/m/0bt9lr,1\n000b,verification,/m/0bt9lr,0\n000a,machine,/m/01yrx,0.4\n000b,verification,/m/x,1\n"
    )
    boxes = b"ImageID,Source,LabelName,Confidence,XMin\n000a,xclick,/m/01yrx,1,0.1\n"
    members = {
        "oidv7-class-descriptions.csv": b'LabelName,DisplayName\n/m/0bt9lr,Dog\n/m/01yrx,"Cat, tame"\n',
        "validation-annotations-human-imagelabels.csv": labels,
        "validation-annotations-bbox.csv": boxes,
        "validation/000a.jpg": PICTURE, "validation/000b.jpg": PICTURE,
    }  # fmt: skip
    words, errors = read(members)
    assert {name: (said.tags, said.no) for name, said in words.items()} == {
        "validation/000a.jpg": (("Dog", "Cat, tame"), ()),
        "validation/000b.jpg": (("/m/x",), ("Dog",)),
    }
    assert errors == [("validation-annotations-human-imagelabels.csv, row 4", "bad_label")]


def test_lists_and_boxes_of_voc_are_read_together():
    objects = b"<object><name>dog</name></object><object><name>car</name></object>"
    boxes = b"<annotation><filename>1.jpg</filename>" + objects + b"</annotation>"
    root = "VOCdevkit/VOC2012"
    members = {
        f"{root}/ImageSets/Main/cat_train.txt": b"1  1\n2 -1\n3  0\n4 x\n",
        f"{root}/ImageSets/Main/cat_trainval.txt": b"1  1\n2  1\n",
        f"{root}/ImageSets/Main/train.txt": b"1\n2\n3\n4\n",
        f"{root}/Annotations/1.xml": boxes,
        f"{root}/Annotations/2.xml": boxes[:40],
        **{f"{root}/JPEGImages/{number}.jpg": PICTURE for number in (1, 2, 3, 4)},
    }
    words, errors = read(members)
    assert {name[-5:]: (said.tags, said.no) for name, said in words.items()} == {
        "1.jpg": (("cat", "dog", "car"), ()), "2.jpg": ((), ("cat",)), "3.jpg": ((), ()), "4.jpg": ((), ()),
    }  # fmt: skip
    assert errors == [
        (f"{root}/ImageSets/Main/cat_train.txt, line 4", "bad_verdict"),
        (f"{root}/Annotations/2.xml", "damaged_document"),
    ]


def test_shapes_of_cvat_are_tags_and_entities_are_refused():
    image = b'<image id="0" name="a.jpg"><box label="dog"/><tag label="day"/></image>'
    head = b"<annotations><version>1.1</version>"
    assert tags({"annotations.xml": head + image + b"</annotations>", "images/a.jpg": PICTURE}) == {
        "images/a.jpg": (("dog", "day"), ())
    }
    bomb = (
        b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>' + head + b"&c;" + image + b"</annotations>"
    )
    batch = recognising.taken(sent({"annotations.xml": bomb}), "staging/test")
    assert batch.tables == ()
    deep = head + image + b"<a>" * 100_000
    words, errors = read({"annotations.xml": deep, "a.jpg": PICTURE})
    assert (words["a.jpg"].tags, errors) == (("dog", "day"), [("annotations.xml", "damaged_document")])


def test_manifests_name_pictures_by_their_address():
    lines = [
        {"source-ref": "s3://b/photos/a.jpg", "kind": 1, "kind-metadata": {"class-name": "dog"}},
        {
            "source-ref": "s3://b/photos/b.jpg",
            "found": {"annotations": [{"class_id": 0}, {"class_id": 4}]},
            "found-metadata": {"class-map": {"0": "cat"}},
        },
    ]
    manifest = "\n".join(json.dumps(line) for line in lines).encode()
    words, errors = read({"output.manifest": manifest, "photos/a.jpg": PICTURE, "photos/b.jpg": PICTURE})
    assert {name: said.tags for name, said in words.items()} == {
        "photos/a.jpg": ("dog",),
        "photos/b.jpg": ("cat",),
    }
    assert errors == [("output.manifest, line 2", "unknown_category")]


def test_records_of_one_name_in_two_shards_stay_two_pictures():
    def shard(number, tag):
        example = tfrecord.example_class()()
        features = example.features.feature
        features["image/encoded"].bytes_list.value.append(files.picture(number))
        features["image/filename"].bytes_list.value.append(b"0.jpg")
        features["image/class/label"].int64_list.value.extend([tag, 9])
        return tfrecord.framed(example.SerializeToString())

    members = {
        "train.tfrecord-00000-of-00002": shard(1, 0) + shard(3, 1),
        "train.tfrecord-00001-of-00002": shard(2, 1) + b"\xff" * 30,
        "labels.txt": b"dog\ncat\n",
    }
    words, errors = read(members)
    assert {name: said.tags for name, said in words.items()} == {
        "0.jpg": ("dog",),
        "0-2.jpg": ("cat",),
        "train/0.jpg": ("cat",),
    }
    assert [code for _, code in errors] == [
        "unknown_category",
        "unknown_category",
        "unknown_category",
        "damaged_document",
    ]


def test_files_that_are_no_format_stay_files():
    members = {
        "a.jpg": PICTURE, "a.json": {"images": [], "annotations": []}, "b.json": [1, 2],
        "c.json": b"{", "d.xml": b"<svg/>",
        "train.txt": b"a.jpg 0\n", "classes.txt": b"dog\n", "e.json": [{"name": "a.jpg", "caption": "x"}],
    }  # fmt: skip
    batch = recognising.taken(sent(members), "staging/test")
    assert ([file.name for file in batch.files], batch.tables, batch.errors) == (list(members), (), ())
