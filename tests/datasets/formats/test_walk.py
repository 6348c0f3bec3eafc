from facedis.datasets.formats.walk import find_file, first_images, iter_folders, subfolders


def put(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def test_folders_are_ordered_by_level_without_shards(tmp_path):
    put(tmp_path, "b/c/d/e/1.jpg", "a/103/1.jpg", ".git/x", "__MACOSX/y")
    assert list(iter_folders(tmp_path, 2)) == ["", "a", "b", "b/c"]
    assert subfolders(tmp_path) == ["a", "b"]
    assert subfolders(tmp_path / "absent") == []


def test_files_are_found_in_any_case(tmp_path):
    put(tmp_path, "deep/er/Training.CSV", "deep/er/still/training.csv")
    assert find_file(tmp_path, "training.csv") == "deep/er/Training.CSV"
    assert find_file(tmp_path, "training.csv", depth=1) is None


def test_first_images_are_limited(tmp_path):
    put(tmp_path, *(f"{number}.jpg" for number in range(9)))
    assert first_images(tmp_path, 2) == ["0.jpg", "1.jpg"]
