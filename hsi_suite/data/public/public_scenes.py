"""The public scenes as a table: files, addresses, checksums, classes, bands, citations.

What is stated here comes from each scene's distributors and the papers cited with it. Band numbers
of the false-colour pictures are 0-based; for the scenes of the Basque collection they are the ones
in common use, for the other two the bands nearest to 640, 550 and 460 nm.
"""

from __future__ import annotations

from dataclasses import replace

from ...registry import Registry
from .. import wavelengths
from .public_scene import PURITY, Layer, PublicScene, jasper_cube, labels_from_abundances
from .verification import RemoteFile

_EHU = "://www.ehu.eus/ccwintco/uploads/"
_GITHUB = "https://raw.githubusercontent.com/"
_HYBRIDSN = _GITHUB + "gokriznastic/HybridSN/8e9fd37cdcbff5f9717433cddb83f5215f9ec54e/data/"
_HYBRIDSN_FORK = _GITHUB + "Pancakerr/HybridSN/01b3ba919d1b3d8d15b132ff3e804ea0488ca08f/dataset/"
_UNMIXING = (
    _GITHUB + "UPCGIT/Hyperspectral-Unmixing-Models/3ec77a26ce726c2843b4e29070b435056941df39/"
)

PUBLIC_SCENES: Registry[PublicScene] = Registry("data set")


def _mirrored(name: str, place: str, folder: str, sha256: str = "", blob: str = "") -> RemoteFile:
    mirrors = (f"{_HYBRIDSN}{name}", f"{_HYBRIDSN_FORK}{folder}/{name}")
    return RemoteFile(name, (*_university(name, place), *mirrors), sha256, blob)


def _without_checksum(name: str, place: str) -> RemoteFile:
    # The university's older domain still serves some of these files.
    new = _university(name, place)
    return RemoteFile(name, (*new, *(url.replace("www.ehu.eus", "www.ehu.es") for url in new)))


def _university(name: str, place: str) -> tuple[str, str]:
    """The university's addresses; what comes by the first cannot be changed on the way."""
    return f"https{_EHU}{place}/{name}", f"http{_EHU}{place}/{name}"


def _add(scene: PublicScene) -> None:
    PUBLIC_SCENES.add(scene.name, scene)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))


_INDIAN_PINES_LABELS = Layer(
    _mirrored(
        "Indian_pines_gt.mat",
        "c/c4",
        "IndianPines",
        sha256="65c4687a8ab04f6da4789799bc3bc4f6e88bccac3ed6a2e6ae367e5e6b9e429c",
    ),
    "indian_pines_gt",
    (145, 145),
)
_INDIAN_PINES_CLASSES = _names(
    "Alfalfa, Corn-notill, Corn-mintill, Corn, Grass-pasture, Grass-trees, Grass-pasture-mowed, "
    "Hay-windrowed, Oats, Soybean-notill, Soybean-mintill, Soybean-clean, Wheat, Woods, "
    "Buildings-Grass-Trees-Drives, Stone-Steel-Towers"
)
_INDIAN_PINES_CITATION = (
    "M. F. Baumgardner, L. L. Biehl, D. A. Landgrebe: 220 Band AVIRIS Hyperspectral Image Data "
    "Set: June 12, 1992 Indian Pine Test Site 3. Purdue University Research Repository, 2015. "
    "doi:10.4231/R7RX991C"
)
_COLLECTION = (
    "distributed by M. Graña, M. A. Veganzones, B. Ayerdi: Hyperspectral Remote Sensing Scenes, "
    "Grupo de Inteligencia Computacional, University of the Basque Country"
)
_GAMBA = f"P. Gamba, University of Pavia, provided the scene; {_COLLECTION}"

_INDIAN_PINES = PublicScene(
    name="indian_pines",
    title="Indian Pines, water bands removed",
    sensor="AVIRIS",
    cube=Layer(
        _mirrored(
            "Indian_pines_corrected.mat",
            "6/67",
            "IndianPines",
            blob="75b6d6e7df046fce91eda23e7559e274c92da711",
        ),
        "indian_pines_corrected",
        (145, 145, 200),
    ),
    labels=_INDIAN_PINES_LABELS,
    class_names=_INDIAN_PINES_CLASSES,
    false_colour=(43, 21, 11),
    citation=_INDIAN_PINES_CITATION,
    wavelengths=wavelengths.indian_pines_corrected,
    approximate_wavelengths=False,
    notes="Bands 104-108, 150-163 and 220 of the full cube are left out.",
)
_add(_INDIAN_PINES)
_add(
    replace(
        _INDIAN_PINES,
        name="indian_pines_220",
        title="Indian Pines, all 220 bands",
        cube=Layer(
            _mirrored(
                "Indian_pines.mat",
                "2/22",
                "IndianPines",
                blob="c03ff8a0dbc962fe76d08f565f02008eae3f7dd7",
            ),
            "indian_pines",
            (145, 145, 220),
        ),
        wavelengths=wavelengths.indian_pines_220,
        notes="Includes bands that water vapour leaves without signal.",
    )
)
_add(
    PublicScene(
        name="pavia_university",
        title="Pavia University",
        sensor="ROSIS",
        cube=Layer(
            _mirrored(
                "PaviaU.mat", "e/ee", "PaviaU", blob="6eecc933bedec1130bb046483dd12e25cf091b24"
            ),
            "paviaU",
            (610, 340, 103),
        ),
        labels=Layer(
            _mirrored(
                "PaviaU_gt.mat",
                "5/50",
                "PaviaU",
                sha256="23f6a426928f9b32984adffe659e29f554f9fb6c93b5a107528d308d5087a829",
            ),
            "paviaU_gt",
            (610, 340),
        ),
        class_names=_names(
            "Asphalt, Meadows, Gravel, Trees, Painted metal sheets, Bare Soil, Bitumen, "
            "Self-Blocking Bricks, Shadows"
        ),
        false_colour=(55, 41, 12),
        citation=_GAMBA,
        wavelengths=wavelengths.pavia_university,
    )
)
_add(
    PublicScene(
        name="pavia_centre",
        title="Pavia Centre",
        sensor="ROSIS",
        cube=Layer(_without_checksum("Pavia.mat", "e/e3"), "pavia", (1096, 715, 102)),
        labels=Layer(_without_checksum("Pavia_gt.mat", "5/53"), "pavia_gt", (1096, 715)),
        class_names=_names(
            "Water, Trees, Asphalt, Self-Blocking Bricks, Bitumen, Tiles, Shadows, Meadows, "
            "Bare Soil"
        ),
        false_colour=(55, 41, 12),
        citation=_GAMBA,
        wavelengths=wavelengths.pavia_centre,
    )
)
_add(
    PublicScene(
        name="salinas",
        title="Salinas Valley, water bands removed",
        sensor="AVIRIS",
        cube=Layer(
            _mirrored(
                "Salinas_corrected.mat",
                "a/a3",
                "Salinas",
                blob="2a745377a77369bd5a9d430c722f0bf5e0d0ffc1",
            ),
            "salinas_corrected",
            (512, 217, 204),
        ),
        labels=Layer(
            _mirrored(
                "Salinas_gt.mat",
                "f/fa",
                "Salinas",
                sha256="ecfab4d31ef5553f097943235d8ea502038eb4a2067b2ad10b33e37c949955e2",
            ),
            "salinas_gt",
            (512, 217),
        ),
        class_names=_names(
            "Brocoli_green_weeds_1, Brocoli_green_weeds_2, Fallow, Fallow_rough_plow, "
            "Fallow_smooth, Stubble, Celery, Grapes_untrained, Soil_vinyard_develop, "
            "Corn_senesced_green_weeds, Lettuce_romaine_4wk, Lettuce_romaine_5wk, "
            "Lettuce_romaine_6wk, Lettuce_romaine_7wk, Vinyard_untrained, "
            "Vinyard_vertical_trellis"
        ),
        false_colour=(43, 21, 11),
        citation=f"AVIRIS, NASA Jet Propulsion Laboratory; {_COLLECTION}",
        wavelengths=wavelengths.salinas_corrected,
        notes="Channels 108-112, 154-167 and 224 are left out.",
    )
)
_HAM = (
    "J. Ham, Y. Chen, M. M. Crawford, J. Ghosh: Investigation of the random forest framework for "
    f"classification of hyperspectral data. IEEE TGRS 43(3), 2005; {_COLLECTION}"
)
_add(
    PublicScene(
        name="ksc",
        title="Kennedy Space Center",
        sensor="AVIRIS",
        cube=Layer(_without_checksum("KSC.mat", "2/26"), "KSC", (512, 614, 176)),
        labels=Layer(_without_checksum("KSC_gt.mat", "a/a6"), "KSC_gt", (512, 614)),
        class_names=_names(
            "Scrub, Willow swamp, Cabbage palm hammock, Cabbage palm/oak hammock, Slash pine, "
            "Oak/broadleaf hammock, Hardwood swamp, Graminoid marsh, Spartina marsh, "
            "Cattail marsh, Salt marsh, Mud flats, Water"
        ),
        false_colour=(43, 21, 11),
        citation=_HAM,
        notes="Which 176 of AVIRIS's 224 channels were kept is not published.",
    )
)
_add(
    PublicScene(
        name="botswana",
        title="Okavango Delta, Botswana",
        sensor="Hyperion",
        cube=Layer(_without_checksum("Botswana.mat", "7/72"), "Botswana", (1476, 256, 145)),
        labels=Layer(_without_checksum("Botswana_gt.mat", "5/58"), "Botswana_gt", (1476, 256)),
        class_names=_names(
            "Water, Hippo grass, Floodplain grasses 1, Floodplain grasses 2, Reeds, Riparian, "
            "Firescar, Island interior, Acacia woodlands, Acacia shrublands, Acacia grasslands, "
            "Short mopane, Mixed mopane, Exposed soils"
        ),
        false_colour=(75, 33, 15),
        citation=_HAM,
        wavelengths=wavelengths.botswana,
    )
)
_JASPER = RemoteFile(
    "Jasper.mat",
    (f"{_UNMIXING}Datasets/Jasper.mat",),
    sha256="834a3ef14426140bd76f5731755e9338e98ce18e4816b552533ab288b3799468",
)
_add(
    PublicScene(
        name="jasper_ridge",
        title="Jasper Ridge, labels from abundances",
        sensor="AVIRIS",
        cube=Layer(_JASPER, "Y", (100, 100, 198), (198, 10000), jasper_cube),
        labels=Layer(_JASPER, "S_GT", (100, 100), (100, 100, 4), labels_from_abundances),
        class_names=("Tree", "Water", "Soil", "Road"),
        false_colour=(25, 16, 7),
        citation=(
            "F. Zhu: Hyperspectral Unmixing: Ground Truth Labeling, Datasets, Benchmark "
            "Performances and Survey. arXiv:1708.05125, 2017"
        ),
        wavelengths=wavelengths.jasper_ridge,
        notes=(
            "A pixel's label is the class of its largest abundance, unlabelled below "
            f"{PURITY}. The abundances were unmixed from the same spectra, which favours "
            "classifiers of single spectra."
        ),
    )
)
_MUUFL = RemoteFile(
    "muffle_dataset_130_90.mat",
    (f"{_UNMIXING}IEEE_TGRS_MUNet-main/data/muffle_dataset_130_90.mat",),
    sha256="207a19630faf445eccc403f3ccea0e85d898f8458200d225b34e618372cbf3cd",
)
_add(
    PublicScene(
        name="muufl_gulfport",
        title="MUUFL Gulfport, crop with LiDAR height, labels from abundances",
        sensor="CASI-1500",
        cube=Layer(_MUUFL, "Y", (90, 90, 64)),
        labels=Layer(_MUUFL, "label", (90, 90), (90, 90, 5), labels_from_abundances),
        companions={"height": Layer(_MUUFL, "DSM", (90, 90))},
        class_names=("Roof", "Grass", "Tree", "Shadow", "Asphalt"),
        false_colour=(24, 14, 5),
        citation=(
            "P. Gader, A. Zare, R. Close, J. Aitken, G. Tuell: MUUFL Gulfport Hyperspectral and "
            "LiDAR Airborne Data Set. University of Florida, REP-2013-570, 2013; crop and "
            "abundances: Z. Han, D. Hong, L. Gao, J. Yao, B. Zhang, J. Chanussot: Multimodal "
            "Hyperspectral Unmixing: Insights From Attention Networks. IEEE TGRS 60, 2022"
        ),
        wavelengths=wavelengths.muufl_gulfport,
        notes=(
            "A pixel's label is the class of its largest abundance, unlabelled below "
            f"{PURITY}. The height is a surface model scaled to 0-1 in the file, not metres."
        ),
    )
)
