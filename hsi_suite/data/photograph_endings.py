"""The endings of photographs, read and written; known without what reads and writes them."""

from __future__ import annotations

HEIC_ENDINGS = (".heic", ".heif", ".hif")
RAW_ENDINGS = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc"),
    *(".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2"),
    *(".srf", ".srw", ".x3f"),
)
"""Of the makers that LibRaw reads."""
JPEG_2000_ENDINGS = (".jp2", ".j2k", ".jpf", ".jpx")
NETPBM_ENDINGS = (".ppm", ".pgm", ".pnm", ".pbm", ".pam", ".pfm")
PHOTOGRAPH_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".avif"),
    *JPEG_2000_ENDINGS,
    *NETPBM_ENDINGS,
    *HEIC_ENDINGS,
    *RAW_ENDINGS,
)
"""Of files that are looked for in folders; others are read as well where they are named."""
JPEG_ENDINGS = (".jpg", ".jpeg")
LOSSY_ENDINGS = (*JPEG_ENDINGS, ".webp", ".avif")
"""Of files whose quality can be chosen."""
WRITTEN_NETPBM = (".pnm", ".ppm", ".pgm")
WRITTEN_ENDINGS = (
    *(".png", *JPEG_ENDINGS, ".bmp", ".webp", ".avif", ".jp2", *WRITTEN_NETPBM, ".tif", ".tiff"),
)
"""Of files that can be written."""
KINDS = {
    "png": ".png",
    "jpeg": ".jpg",
    "tiff": ".tif",
    "webp": ".webp",
    "avif": ".avif",
    "jpeg2000": ".jp2",
    "bmp": ".bmp",
    "pnm": ".pnm",
}
"""What a file may be asked to be, and the ending of its kind."""
OTHER_ENDINGS = {".jpeg": "jpeg", ".tiff": "tiff", ".ppm": "pnm", ".pgm": "pnm"}
"""Further endings of these kinds."""
OTHER_NAMES = {
    ending[1:]: kind
    for ending, kind in ({KINDS[kind]: kind for kind in KINDS} | OTHER_ENDINGS).items()
    if ending[1:] != kind
}
"""Further names of these kinds: those of their endings."""
