"""Small synthetic folders with the layout, headers and irregularities of each dataset.

The images are coloured patterns, each different from the others.
"""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

HEADER = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
MAGIC = struct.pack("<I", 0xCED7230A)


class Tree(NamedTuple):
    """A layout and the expected result of its reader.

    Attributes:
        reader: Name of the reader that must be detected.
        make: Writes the layout into a folder.
        rows: (expression, identity, split) by image.
        skipped: (file, line) of each skipped row.
        broken: Status of the images that cannot be used.
        title: Description for the documentation.
    """

    reader: str
    make: Callable[[Path], None]
    rows: dict[str, tuple[str, str, str]]
    skipped: list[tuple[str, int]]
    broken: dict[str, str]
    title: str


TREES: dict[str, Tree] = {}


def tree(name, reader, title, rows, skipped=(), broken=None):
    def register(make):
        TREES[name] = Tree(reader, make, rows, list(skipped), broken or {}, title)
        return make

    return register


def picture(seed, side, mode="RGB"):
    """A square image with a pattern unique to the seed."""
    pattern = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), np.uint8)
    return Image.fromarray(pattern).resize((side, side), Image.Resampling.NEAREST).convert(mode)


def put(root, *images, side=64, mode="RGB"):
    """Write each of `images` with a pattern that depends on its path."""
    for image in images:
        path = root / image
        path.parent.mkdir(parents=True, exist_ok=True)
        suffix = path.suffix.lower()
        picture(list(image.encode()), side, mode).save(path, quality=95) if suffix in (".jpg", ".jpeg") else picture(
            list(image.encode()), side, mode
        ).save(path)


def write(root, path, content):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())


def hashed(number):
    """A file name like those of AffectNet (2017)."""
    return f"{number:x}".rjust(56, "a")


# ---------------------------------------------------------------------------------------- AffectNet


def landmarks():
    return ";".join(f"{20 + point % 10}.5;{30 + point // 10}" for point in range(68))


def affectnet_row(image, label, box="5,6,40,42", valence="0.1"):
    return f"{image},{box},{landmarks()},{label},{valence},-0.25"


AFFECTNET_IMAGES = [f"103/{hashed(1)}.jpg", f"689/{hashed(2)}.JPG", f"2/{hashed(3)}.png", f"103/{hashed(4)}.bmp"]
EMPTY, ABSENT, NON_FACE, VAL = f"103/{hashed(5)}.jpg", f"2/{hashed(6)}.jpg", f"7/{hashed(7)}.jpg", f"9/{hashed(8)}.jpeg"


def affectnet_lists(root, lists, images):
    rows = [affectnet_row(image, label) for image, label in zip(AFFECTNET_IMAGES, (0, 6, 5, 7), strict=True)]
    rows += [affectnet_row(EMPTY, 1), affectnet_row(ABSENT, 2, box="-8,-3,40,42")]
    rows += [affectnet_row(NON_FACE, 10, "NULL,NULL,NULL,NULL", "-2"), affectnet_row(NON_FACE, 9, "-1,-1,-1,-1", "-2")]
    write(root, f"{lists}training.csv", "\n".join([HEADER, *rows, ""]))
    write(root, f"{lists}validation.csv", "\n".join([HEADER, affectnet_row(VAL, 3), affectnet_row(NON_FACE, 8), ""]))
    put(root, *(f"{images}{image}" for image in (*AFFECTNET_IMAGES, NON_FACE, VAL)))
    write(root, f"{images}{EMPTY}", b"")
    write(root, f"{images}103/.DS_Store", b"\0\0\0\1Bud1")
    (root / images / "55").mkdir()


def affectnet_rows(images):
    names = ("neutral", "anger", "disgust", "contempt", "happiness", "sadness")
    rows = {
        f"{images}{image}": (name, "", "train")
        for image, name in zip((*AFFECTNET_IMAGES, EMPTY, ABSENT), names, strict=True)
    }
    return {**rows, f"{images}{VAL}": ("surprise", "", "val")}


def affectnet_2017(name, lists, images, title):
    skipped = [(f"{lists}training.csv", 8), (f"{lists}training.csv", 9), (f"{lists}validation.csv", 3)]
    broken = {f"{images}{EMPTY}": "unreadable", f"{images}{ABSENT}": "missing"}
    tree(name, "affectnet", title, affectnet_rows(images), skipped, broken)(
        lambda root: affectnet_lists(root, lists, images)
    )


affectnet_2017(
    "affectnet, lists apart",
    "Manually_Annotated_file_lists/",
    "Manually_Annotated/Manually_Annotated_Images/",
    "AffectNet (2017), lists in a folder of their own, folders of images doubled",
)
affectnet_2017(
    "affectnet, lists beside the images",
    "Manually_Annotated_Images/",
    "Manually_Annotated_Images/",
    "AffectNet (2017), lists beside the images",
)
affectnet_2017(
    "affectnet, lists at the root", "", "Manually_Annotated_compressed/", "AffectNet (2017), lists at the root"
)

AUTO = "Automatically_Annotated/Automatically_Annotated_Images/"
AUTO_LIST = "Automatically_Annotated/Automatically_annotated_file_list/automatically_annotated.csv"


@tree(
    "affectnet, automatic part",
    "affectnet-auto",
    "AffectNet (2017), the automatically annotated part",
    {
        f"{AUTO}{image}": (name, "", "train")
        for image, name in zip(AFFECTNET_IMAGES[:2], ("fear", "neutral"), strict=True)
    },
    [(AUTO_LIST, 4)],
)
def affectnet_auto(root):
    images = AFFECTNET_IMAGES[:2]
    rows = [affectnet_row(images[0], 4), affectnet_row(images[1], "0"), affectnet_row(NON_FACE, 11)]
    write(root, AUTO_LIST, "\r\n".join([HEADER, *rows, ""]))
    put(root, *(f"{AUTO}{image}" for image in images))


def npy(value):
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


def affectnet_2021(root, val, images, values):
    for folder, number, value in values:
        put(root, f"{folder}/{images}/{number}.jpg", side=224)
        write(root, f"{folder}/annotations/{number}_exp.npy", npy(value))
        for kind in ("val", "aro"):
            write(root, f"{folder}/annotations/{number}_{kind}.npy", npy(np.array("-0.0833333")))
        write(root, f"{folder}/annotations/{number}_lnd.npy", npy(np.zeros(136)))
    put(root, f"{val}/{images}/12.jpg", side=224)
    write(root, f"{val}/annotations/30_exp.npy", npy(np.array("0")))
    write(root, f"{val}/annotations/31_exp.npy", b"\x93NUMPY\1\0")
    write(root, f"{val}/annotations/.DS_Store", b"\0")


@tree(
    "affectnet of 2021",
    "affectnet-2021",
    "AffectNet (2021), numpy annotations",
    {
        "train_set/images/2.jpg": ("anger", "", "train"),
        "train_set/images/10.jpg": ("neutral", "", "train"),
        "train_set/images/400112.jpg": ("contempt", "", "train"),
        "val_set/images/0.jpg": ("happiness", "", "val"),
        "val_set/images/30.jpg": ("neutral", "", "val"),
    },
    [("val_set/images/12.jpg", 0), ("val_set/images/31.jpg", 0)],
    {"val_set/images/30.jpg": "missing"},
)
def affectnet_npy(root):
    values = [(10, np.array("0")), (400112, np.array("7")), (2, np.array("6"))]
    train = [("train_set", number, value) for number, value in values]
    affectnet_2021(root, "val_set", "images", [*train, ("val_set", 0, np.array("1"))])


@tree(
    "affectnet of 2021, renamed",
    "affectnet-2021",
    "AffectNet (2021) as renamed by training code, labels as numbers and objects",
    {
        "train_set/images_cropped/5.jpg": ("disgust", "", "train"),
        "train_set/images_cropped/7.jpg": ("fear", "", "train"),
        "valid_set/images_cropped/3.jpg": ("sadness", "", "val"),
        "valid_set/images_cropped/30.jpg": ("neutral", "", "val"),
    },
    [("valid_set/images_cropped/12.jpg", 0), ("valid_set/images_cropped/31.jpg", 0)],
    {"valid_set/images_cropped/30.jpg": "missing"},
)
def affectnet_npy_renamed(root):
    values = [("train_set", 5, np.array(5)), ("train_set", 7, np.array("4", object)), ("valid_set", 3, np.array([2.0]))]
    affectnet_2021(root, "valid_set", "images_cropped", values)


EIGHT = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")


@tree(
    "affectnet, numbered folders",
    "affectnet-folders",
    "AffectNet in numbered folders",
    {
        **{f"train/{number}/{number}0.jpg": (name, "", "train") for number, name in enumerate(EIGHT)},
        "valid/7/7.jpg": ("contempt", "", "val"),
    },
)
def affectnet_numbers(root):
    put(root, *(f"train/{number}/{number}0.jpg" for number in range(8)), "valid/7/7.jpg", side=224)
    for number in range(8):
        (root / "valid" / str(number)).mkdir(exist_ok=True)
    write(root, "train/0/.DS_Store", b"\0")


@tree(
    "affectnet, folders with two digits",
    "affectnet-folders",
    "AffectNet in folders numbered with two digits",
    {f"{number:02}/{hashed(number)}.png": (name, "", "") for number, name in enumerate(EIGHT)},
)
def affectnet_two_digits(root):
    put(root, *(f"{number:02}/{hashed(number)}.png" for number in range(8)))


NAMES = ("Anger", "Contempt", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")
NAMED = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")


@tree(
    "affectnet, named folders",
    "affectnet-folders",
    "AffectNet in folders with names, which sort otherwise than its ids",
    {f"train/{name}/image{place:07}.jpg": (NAMED[place], "", "train") for place, name in enumerate(NAMES)},
)
def affectnet_names(root):
    put(root, *(f"train/{name}/image{place:07}.jpg" for place, name in enumerate(NAMES)), side=96)


# --------------------------------------------------------------------------------------------- CK+


def sequence(root, images, labels, place, label, frames=6):
    subject, number = place.split("/")
    put(root, *(f"{images}/{place}/{subject}_{number}_{frame:08}.png" for frame in range(1, frames + 1)), mode="L")
    (root / labels / place).mkdir(parents=True)
    if label is not None:
        write(root, f"{labels}/{place}/{subject}_{number}_{frames:08}_emotion.txt", f"   {label:.7e}\n")


def ckplus(root, images, labels):
    sequence(root, images, labels, "S010/002", 7)
    sequence(root, images, labels, "S005/001", 3, frames=11)
    sequence(root, images, labels, "S005/003", None)
    sequence(root, images, labels, "S138/004", 2)
    sequence(root, images, labels, "S999/001", 1, frames=2)
    put(root, f"{images}/S011/001/S011_001_00000001.png", mode="L")
    for place in (images, f"{images}/S010", f"{images}/S010/002", f"{labels}/S005/003"):
        write(root, f"{place}/.DS_Store", b"\0")


def ckplus_rows(images):
    rows = {}
    for place, name, last in (("S005/001", "disgust", 11), ("S010/002", "surprise", 6), ("S138/004", "contempt", 6)):
        stem = f"{images}/{place}/{place.replace('/', '_')}"
        rows[f"{stem}_00000001.png"] = ("neutral", place[:4], "")
        rows.update({f"{stem}_{frame:08}.png": (name, place[:4], "") for frame in range(last - 2, last + 1)})
    return rows


def ckplus_skipped(images, labels):
    return [(f"{labels}/S005/003", 0), (f"{labels}/S011/001", 0), (f"{images}/S999/001", 0)]


@tree(
    "ckplus",
    "ckplus",
    "CK+ as its authors give it",
    ckplus_rows("cohn-kanade-images"),
    ckplus_skipped("cohn-kanade-images", "Emotion"),
)
def ckplus_official(root):
    ckplus(root, "cohn-kanade-images", "Emotion")
    write(root, "FACS/S005/001/S005_001_00000011_facs.txt", "   9.0000000e+00   0.0000000e+00\n")
    write(root, "Landmarks/S005/001/S005_001_00000001_landmarks.txt", "   3.0e+02   2.0e+02\n" * 68)


NESTED = ("extended-cohn-kanade-images/cohn-kanade-images", "Emotion_labels/Emotion")


@tree("ckplus, nested", "ckplus", "CK+ as mirrors nest it", ckplus_rows(NESTED[0]), ckplus_skipped(*NESTED))
def ckplus_mirror(root):
    ckplus(root, *NESTED)


@tree(
    "ckplus48",
    "ckplus48",
    "CK+48",
    {
        "CK+48/anger/S010_004_00000017.png": ("anger", "S010", ""),
        "CK+48/anger/S010_004_00000018.png": ("anger", "S010", ""),
        "CK+48/contempt/S138_008_00000007.png": ("contempt", "S138", ""),
        "CK+48/happy/S011_006_00000011.png": ("happiness", "S011", ""),
    },
)
def ckplus48(root):
    images = "anger/S010_004_00000017 anger/S010_004_00000018 contempt/S138_008_00000007 happy/S011_006_00000011"
    put(root, *(f"CK+48/{image}.png" for image in images.split()), side=48, mode="L")


# -------------------------------------------------------------------------------------------- CASIA

CASIA = ("0000045/001.jpg", "0000045/015.jpg", "0000099/001.jpg")


@tree(
    "casia",
    "casia",
    "CASIA-WebFace, folders",
    {f"CASIA-WebFace/{image}": ("", image[:7], "") for image in CASIA},
)
def casia(root):
    put(root, *(f"CASIA-WebFace/{image}" for image in CASIA), side=250)
    (root / "CASIA-WebFace/0000100").mkdir()
    write(root, "CASIA-WebFace/.DS_Store", b"\0")


def jpeg(seed, side=112):
    file = io.BytesIO()
    picture(seed, side).save(file, "JPEG", quality=95)
    return file.getvalue()


def packed(number, labels, image=b""):
    """The bytes of an image record."""
    if len(labels) == 1:
        return struct.pack("<IfQQ", 0, labels[0], number, 0) + image
    return struct.pack(f"<IfQQ{len(labels)}f", len(labels), 0.0, number, 0, *labels) + image


def record_io(payloads, cut=()):
    """A RecordIO file and the offset of each payload; payloads whose index is in `cut` are split into parts."""
    content, places = b"", []
    for number, payload in enumerate(payloads):
        places.append(len(content))
        parts = payload.split(MAGIC) if number in cut else [payload]
        flags = [0] if len(parts) == 1 else [1, *[2] * (len(parts) - 2), 3]
        for flag, part in zip(flags, parts, strict=True):
            content += MAGIC + struct.pack("<I", flag << 29 | len(part)) + part + b"\0" * (-len(part) % 4)
    return content, places


@tree(
    "casia, RecordIO",
    "casia-rec",
    "CASIA-WebFace in RecordIO, with index and list",
    {
        "train.rec/1": ("", "0000045", ""),
        "train.rec/2": ("", "0000045", ""),
        "train.rec/3": ("", "0000099", ""),
    },
)
def casia_rec(root):
    faces = [packed(number, [label], jpeg(number)) for number, label in ((1, 0.0), (2, 0.0), (3, 1.0))]
    people = [packed(4, [1.0, 3.0]), packed(5, [3.0, 4.0])]
    content, places = record_io([packed(0, [4.0, 6.0]), *faces, *people])
    write(root, "train.rec", content)
    write(root, "train.idx", "".join(f"{number}\t{place}\n" for number, place in enumerate(places)))
    rows = [f"1\t/raid5/CASIA/{image}\t{label}" for image, label in zip(CASIA, (0, 0, 1), strict=True)]
    write(root, "train.lst", "\n".join([*(f"{row}\t" + "\t".join(["56.5"] * 14) for row in rows), ""]))
    write(root, "property", "2,112,112")
    write(root, "lfw.bin", b"\x80\x03")


@tree(
    "casia, RecordIO without an index",
    "casia-rec",
    "CASIA-WebFace in RecordIO, alone, with a record in parts",
    {"train.rec/1": ("", "0", ""), "train.rec/2": ("", "7", "")},
)
def casia_rec_alone(root):
    image = jpeg(5)
    # A JPEG comment that contains the magic number, aligned to four bytes within the record.
    comment = b"\xff\xfe\0\x0c" + b"ab" + MAGIC + MAGIC
    image = image[:2] + comment + image[2:]
    payload = packed(1, [0.0, 0.0], image)
    assert payload.count(MAGIC) == 2
    content, _ = record_io([packed(0, [3.0, 3.0]), payload, packed(2, [7.0], jpeg(6))], cut=(1,))
    write(root, "train.rec", content)


# ------------------------------------------------------------------------------------------- RAF-DB

RAF = (
    ("train_00001", 5, "sadness"),
    ("train_00002", 1, "surprise"),
    ("test_0001", 7, "neutral"),
    ("test_0002", 3, "disgust"),
)


def rafdb_list(root, base):
    write(root, f"{base}EmoLabel/list_patition_label.txt", "".join(f"{stem}.jpg {label}\n" for stem, label, _ in RAF))
    points = "20.5 30\n60 30.25\n40 50\n25 70\n55 70\n"
    for stem, _, _ in RAF:
        write(root, f"{base}Annotation/manual/{stem}_manu_attri.txt", f"{points}1\n0\n2\n")


@tree(
    "rafdb",
    "rafdb",
    "RAF-DB with its list, aligned faces",
    {f"basic/Image/aligned/{stem}_aligned.jpg": (name, "", stem.split("_")[0]) for stem, _, name in RAF},
)
def rafdb(root):
    rafdb_list(root, "basic/")
    put(root, *(f"basic/Image/aligned/{stem}_aligned.jpg" for stem, _, _ in RAF), side=100)
    put(root, *(f"basic/Image/original/{stem}.jpg" for stem, _, _ in RAF), side=120)


@tree(
    "rafdb, original",
    "rafdb",
    "RAF-DB with its list, photographs only",
    {f"Image/original/{stem}.jpg": (name, "", stem.split("_")[0]) for stem, _, name in RAF},
)
def rafdb_original(root):
    rafdb_list(root, "")
    put(root, *(f"Image/original/{stem}.jpg" for stem, _, _ in RAF), side=120)


RAF_NAMES = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")


@tree(
    "rafdb, numbered folders",
    "rafdb-folders",
    "RAF-DB in folders with its own numbers",
    {
        **{f"DATASET/train/{n + 1}/train_{n:05}_aligned.jpg": (RAF_NAMES[n], "", "train") for n in range(7)},
        "DATASET/test/1/test_0003_aligned.jpg": ("surprise", "", "test"),
    },
)
def rafdb_numbers(root):
    put(root, *(f"DATASET/train/{n + 1}/train_{n:05}_aligned.jpg" for n in range(7)), side=100)
    put(root, "DATASET/test/1/test_0003_aligned.jpg", side=100)
    write(root, "train_labels.csv", "image,label\ntrain_00000_aligned.jpg,1\n")


@tree(
    "rafdb, folders in AffectNet's order",
    "rafdb-folders",
    "RAF-DB in folders with AffectNet's numbers",
    {f"train/{n}/train_{n:05}_aligned.jpg": (EIGHT[n], "", "train") for n in range(7)},
)
def rafdb_affectnet_order(root):
    put(root, *(f"train/{n}/train_{n:05}_aligned.jpg" for n in range(7)), side=100)


# ------------------------------------------------------------------------------------------ FER2013

FER = (("angry", "anger"), ("disgust",) * 2, ("fear",) * 2, ("happy", "happiness"), ("sad", "sadness"))
FER = (*FER, ("surprise",) * 2, ("neutral",) * 2)
USAGES = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
FER_ROWS = [(row, row % 7, list(USAGES)[(row >= 7) + (row >= 9)]) for row in range(11)]


def greys(row):
    return np.asarray(picture(1000 + row, 48, "L"))


def fer_name(row, number, usage, suffix):
    return f"{usage}/{FER[number][0]}/{usage}_{row:05}.{suffix}"


def fer_rows(suffix):
    return {fer_name(row, n, usage, suffix): (FER[n][1], "", USAGES[usage]) for row, n, usage in FER_ROWS}


def pixels(row):
    return " ".join(map(str, greys(row).ravel()))


@tree("fer2013, csv", "fer2013-csv", "FER2013, fer2013.csv", fer_rows("pgm"))
def fer2013_csv(root):
    lines = [f"{number},{pixels(row)},{usage}" for row, number, usage in FER_ROWS]
    write(root, "fer2013.csv", "\n".join(["emotion,pixels,Usage", *lines, ""]))


@tree("fer2013, icml csv", "fer2013-csv", "FER2013, icml_face_data.csv", fer_rows("pgm"))
def fer2013_icml(root):
    lines = [f"{number},{usage},{pixels(row)}" for row, number, usage in FER_ROWS]
    write(root, "icml_face_data.csv", "\n".join(["emotion, Usage, pixels", *lines, ""]))


@tree(
    "fer2013, two tables",
    "fer2013-csv",
    "FER2013, train.csv and test.csv",
    {
        "Training/happy/Training_00000.pgm": ("happiness", "", "train"),
        "Training/sad/Training_00001.pgm": ("sadness", "", "train"),
        "PrivateTest/unlabelled/PrivateTest_00000.pgm": ("", "", "test"),
    },
)
def fer2013_parts(root):
    write(root, "train.csv", f"emotion,pixels\n3,{pixels(0)}\n4,{pixels(1)}\n")
    write(root, "test.csv", f"pixels\n{pixels(2)}\n")


@tree("fer2013, folders", "fer2013", "FER2013 unpacked", fer_rows("png"))
def fer2013_folders(root):
    for row, number, usage in FER_ROWS:
        path = root / fer_name(row, number, usage, "png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(greys(row)).save(path)
    write(root, "Training/.DS_Store", b"\0")


TWO = ("train/happy/Training_1206.jpg", "test/happy/PrivateTest_10077120.jpg", "test/sad/PublicTest_28479455.jpg")


@tree(
    "fer2013, two folders",
    "fer2013",
    "FER2013 in the folders train and test",
    {
        TWO[0]: ("happiness", "", "train"),
        TWO[1]: ("happiness", "", "test"),
        TWO[2]: ("sadness", "", "val"),
    },
)
def fer2013_two_folders(root):
    put(root, *TWO, side=48, mode="L")
    (root / "train" / "disgust").mkdir()


VOTED = {  # ten votes in FER+'s order, and the majority
    0: ("0,9,0,0,0,0,0,0,1,0", "happiness"),
    1: ("4,0,0,1,3,2,0,0,0,0", ""),  # a single vote does not count: 4 of 9
    2: ("0,0,0,0,0,0,0,0,0,10", ""),
    3: ("0,0,0,0,0,0,0,6,4,0", "contempt"),
    7: ("5,0,3,1,1,0,0,0,0,0", "neutral"),  # 5 of 8
}


@tree(
    "ferplus, table",
    "ferplus",
    "FER+, fer2013new.csv beside fer2013.csv",
    {
        "Training/fer0000000.png": ("happiness", "", "train"),
        "Training/fer0000003.png": ("contempt", "", "train"),
        "PublicTest/fer0000007.png": ("neutral", "", "val"),
    },
    [("fer2013new.csv", row + 2) for row in range(11) if row not in (0, 3, 7)],
)
def ferplus(root):
    fer2013_csv(root)
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    lines = []
    for row, _, usage in FER_ROWS:
        votes = VOTED.get(row, ("0,0,0,0,0,0,0,0,10,0", ""))[0]
        lines.append(f"{usage},{'' if row == 2 else f'fer{row:07}.png'},{votes}")
    write(root, "fer2013new.csv", "\n".join([header, *lines, ""]))


@tree(
    "ferplus, folders",
    "ferplus",
    "FER+ in folders",
    {
        "FER2013Train/fer0000000.png": ("happiness", "", "train"),
        "FER2013Train/fer0000003.png": ("contempt", "", "train"),
        "FER2013Valid/fer0000007.png": ("neutral", "", "val"),
    },
    [("FER2013Train/label.csv", 2), ("FER2013Train/label.csv", 3)],
)
def ferplus_folders(root):
    for folder, rows in (("FER2013Train", (0, 1, 2, 3)), ("FER2013Valid", (7,)), ("FER2013Test", ())):
        lines = [f'fer{row:07}.png,"(0, 0, 48, 48)",{VOTED[row][0]}' for row in rows]
        write(root, f"{folder}/label.csv", "\r\n".join([*lines, ""]))
        put(root, *(f"{folder}/fer{row:07}.png" for row in rows), side=48, mode="L")


# --------------------------------------------------------------------------- JAFFE, LFW, generic layouts

JAFFE = {"KA.AN1.39": "anger", "KA.NE3.28": "neutral", "YM.HA2.53": "happiness", "YM.SU1.58": "surprise"}


@tree(
    "jaffe",
    "jaffe",
    "JAFFE in one folder",
    {f"{stem}.tiff": (name, stem[:2], "") for stem, name in JAFFE.items()},
)
def jaffe(root):
    put(root, *(f"{stem}.tiff" for stem in JAFFE), side=256, mode="L")
    write(root, "README", "The images are in the public domain for research.\n")
    write(root, ".DS_Store", b"\0")


@tree(
    "jaffe, sorted",
    "jaffe",
    "JAFFE sorted into folders and converted",
    {
        "happy/YM.HA2.53.jpg": ("happiness", "YM", ""),
        "sad/KA.SA2.34.tiff.bmp": ("sadness", "KA", ""),
    },
)
def jaffe_sorted(root):
    put(root, "happy/YM.HA2.53.jpg", "sad/KA.SA2.34.tiff.bmp", side=256, mode="L")


LFW = ("Aaron_Eckhart_0001", "Abel_Pacheco_0001", "Abel_Pacheco_0004", "Zydrunas_Ilgauskas_0001")


@tree(
    "lfw",
    "lfw",
    "LFW with its pairs",
    {f"lfw/{stem[:-5]}/{stem}.jpg": ("", stem[:-5], "") for stem in LFW},
)
def lfw(root):
    put(root, *(f"lfw/{stem[:-5]}/{stem}.jpg" for stem in LFW), side=250)
    pairs = ["2\t1", "Abel_Pacheco\t1\t4", "Aaron_Eckhart\t1\tAbel_Pacheco\t4"]
    pairs += ["Abel_Pacheco\t4\t1", "Aaron_Eckhart\t1\tZydrunas_Ilgauskas\t1"]
    write(root, "pairs.txt", "\n".join([*pairs, ""]))


@tree(
    "class folders",
    "class-folders",
    "Folders named after expressions",
    {"test/Joy/2.png": ("happiness", "", "test"), "train/angry/studio/1.jpg": ("anger", "", "train")},
    [("3.jpg", 0)],
    {"train/angry/studio/1.jpg": "unreadable"},
)
def class_folders(root):
    put(root, "test/Joy/2.png", "3.jpg")
    write(root, "train/angry/studio/1.jpg", "no image")
    write(root, "test/Joy/._2.png", b"\0")
    write(root, "__MACOSX/test/Joy/2.png", b"\0")


@tree(
    "labels.csv",
    "labels-csv",
    "Images with a labels.csv",
    {
        "a.jpg": ("happiness", "Ann", "train"),
        "images/b.jpg": ("", "Bo", ""),
        "images/gone.jpg": ("fear", "", "test"),
    },
    [("labels.csv", 5)],
    {"images/gone.jpg": "missing"},
)
def labels_csv(root):
    rows = ["a.jpg,joy,Ann,train", "b.jpg,,Bo,", "gone.jpg,scared,,test", "c.jpg,4,Bo,train"]
    write(root, "labels.csv", "\ufeff" + "\n".join(["image,expression,identity,split", *rows, ""]))
    put(root, "a.jpg", "images/b.jpg")


@tree(
    "rendered",
    "rendered",
    "A set of `facedis synth`",
    {"person0001_fear_0.webp": ("fear", "person0001", "val")},
)
def rendered(root):
    put(root, "person0001_fear_0.webp", side=192)
    write(root, "rendered-faces.json", "{}")
    lines = "image,expression,identity,split,intensity,yaw\nperson0001_fear_0.webp,fear,person0001,val,0.5,-0.1\n"
    write(root, "labels.csv", lines)
