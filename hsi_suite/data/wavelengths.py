"""Band centres of the public scenes, in nm, as small tables of numbers.

A table is exact when it is the scene's own calibration, and approximate when it was taken from
another flight of the same sensor or spaced evenly over the sensor's range.
`public/public_scenes.py` says which is which for each scene. Centres follow the order of the bands
in the files: where two spectrometers of a sensor overlap they step back by a few nm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Centres = NDArray[np.float64]

# AVIRIS, channels 1 to 224: the centres in the header of a public Salton Sea scene. Centres move
# by a few nm from flight to flight, so they are approximate for any other scene.
# fmt: off
AVIRIS_224: tuple[float, ...] = (
    365.91, 375.58, 385.25, 394.92, 404.60, 414.28, 423.96, 433.65, 443.35, 453.05,
    462.75, 472.46, 482.17, 491.89, 501.61, 511.34, 521.07, 530.80, 540.54, 550.28,
    560.03, 569.78, 579.54, 589.30, 599.07, 608.84, 618.61, 628.39, 638.17, 647.96,
    657.75, 667.54, 655.48, 665.28, 675.09, 684.88, 694.67, 704.46, 714.24, 724.02,
    733.79, 743.55, 753.31, 763.07, 772.82, 782.56, 792.30, 802.04, 811.76, 821.49,
    831.21, 840.92, 850.63, 860.33, 870.03, 879.72, 889.41, 899.09, 908.77, 918.44,
    928.11, 937.77, 947.42, 957.07, 966.72, 976.36, 986.00, 995.62, 1005.25, 1014.86,
    1024.48, 1034.09, 1043.69, 1053.29, 1062.88, 1072.47, 1082.06, 1091.63, 1101.21, 1110.77,
    1120.34, 1129.89, 1139.44, 1148.99, 1158.53, 1168.07, 1177.60, 1187.13, 1196.65, 1206.16,
    1215.67, 1225.18, 1234.68, 1244.17, 1253.66, 1263.14, 1253.35, 1263.33, 1273.30, 1283.27,
    1293.24, 1303.21, 1313.19, 1323.16, 1333.13, 1343.10, 1353.07, 1363.04, 1373.01, 1382.98,
    1392.95, 1402.92, 1412.89, 1422.86, 1432.83, 1442.79, 1452.76, 1462.73, 1472.70, 1482.66,
    1492.63, 1502.60, 1512.57, 1522.53, 1532.50, 1542.46, 1552.43, 1562.40, 1572.36, 1582.33,
    1592.29, 1602.26, 1612.22, 1622.18, 1632.15, 1642.11, 1652.07, 1662.04, 1672.00, 1681.96,
    1691.93, 1701.89, 1711.85, 1721.81, 1731.77, 1741.73, 1751.69, 1761.66, 1771.62, 1781.58,
    1791.54, 1801.50, 1811.45, 1821.41, 1831.37, 1841.33, 1851.29, 1861.25, 1871.21, 1872.36,
    1866.84, 1876.91, 1886.96, 1897.02, 1907.08, 1917.13, 1927.18, 1937.23, 1947.27, 1957.31,
    1967.36, 1977.39, 1987.43, 1997.46, 2007.50, 2017.52, 2027.55, 2037.58, 2047.60, 2057.62,
    2067.64, 2077.65, 2087.66, 2097.68, 2107.68, 2117.69, 2127.69, 2137.70, 2147.69, 2157.69,
    2167.69, 2177.68, 2187.67, 2197.66, 2207.64, 2217.63, 2227.61, 2237.58, 2247.56, 2257.53,
    2267.51, 2277.48, 2287.44, 2297.41, 2307.37, 2317.33, 2327.29, 2337.24, 2347.20, 2357.15,
    2367.09, 2377.04, 2386.99, 2396.93, 2406.87, 2416.80, 2426.74, 2436.67, 2446.60, 2456.53,
    2466.45, 2476.38, 2486.30, 2496.22,
)
# fmt: on

# Indian Pines (AVIRIS flight of 12 June 1992, scene 92AV3C), the 220 bands of the full cube: the
# flight's own spectral calibration (file 92AV3C.spc); channels 1, 33, 97 and 161 of the sensor
# carry no data and are not in the cube.
# fmt: off
INDIAN_PINES_220: tuple[float, ...] = (
    400.02, 409.82, 419.62, 429.43, 439.25, 449.07, 458.90, 468.73, 478.57, 488.41,
    498.26, 508.12, 517.98, 527.85, 537.72, 547.60, 557.49, 567.38, 577.28, 587.18,
    597.09, 607.01, 616.93, 626.85, 636.78, 646.72, 656.67, 666.61, 676.57, 686.53,
    696.50, 686.91, 696.55, 706.19, 715.83, 725.47, 735.11, 744.74, 754.38, 764.01,
    773.64, 783.27, 792.91, 802.53, 812.16, 821.79, 831.41, 841.04, 850.66, 860.28,
    869.91, 879.53, 889.14, 898.76, 908.38, 917.99, 927.61, 937.22, 946.83, 956.45,
    966.06, 975.66, 985.27, 994.88, 1004.48, 1014.09, 1023.69, 1033.29, 1042.89, 1052.49,
    1062.09, 1071.69, 1081.29, 1090.88, 1100.48, 1110.07, 1119.66, 1129.25, 1138.84, 1148.43,
    1158.02, 1167.61, 1177.19, 1186.77, 1196.36, 1205.94, 1215.52, 1225.10, 1234.68, 1244.26,
    1253.83, 1263.41, 1272.98, 1282.55, 1273.00, 1282.96, 1292.93, 1302.89, 1312.85, 1322.81,
    1332.77, 1342.73, 1352.68, 1362.64, 1372.59, 1382.54, 1392.49, 1402.44, 1412.39, 1422.34,
    1432.28, 1442.23, 1452.17, 1462.11, 1472.05, 1481.99, 1491.92, 1501.86, 1511.79, 1521.73,
    1531.66, 1541.59, 1551.52, 1561.44, 1571.37, 1581.30, 1591.22, 1601.14, 1611.06, 1620.98,
    1630.90, 1640.81, 1650.73, 1660.64, 1670.56, 1680.47, 1690.38, 1700.28, 1710.19, 1720.10,
    1730.00, 1739.90, 1749.81, 1759.71, 1769.60, 1779.50, 1789.40, 1799.29, 1809.19, 1819.08,
    1828.97, 1838.86, 1848.75, 1858.63, 1868.52, 1878.40, 1888.28, 1883.24, 1893.25, 1903.26,
    1913.26, 1923.27, 1933.27, 1943.27, 1953.26, 1963.25, 1973.24, 1983.23, 1993.22, 2003.20,
    2013.18, 2023.16, 2033.13, 2043.10, 2053.07, 2063.04, 2073.00, 2082.97, 2092.92, 2102.88,
    2112.83, 2122.78, 2132.73, 2142.68, 2152.62, 2162.56, 2172.50, 2182.43, 2192.37, 2202.30,
    2212.22, 2222.15, 2232.07, 2241.99, 2251.90, 2261.82, 2271.73, 2281.64, 2291.54, 2301.45,
    2311.35, 2321.25, 2331.14, 2341.03, 2350.92, 2360.81, 2370.70, 2380.58, 2390.46, 2400.33,
    2410.21, 2420.08, 2429.95, 2439.81, 2449.68, 2459.54, 2469.40, 2479.25, 2489.11, 2498.96,
)
# fmt: on


def _without(centres: tuple[float, ...], *ranges: tuple[int, int]) -> Centres:
    """`centres` without the channels of 1-based inclusive `ranges`."""
    dropped = {channel for first, last in ranges for channel in range(first, last + 1)}
    return np.array([c for channel, c in enumerate(centres, 1) if channel not in dropped])


def _only(centres: tuple[float, ...], *ranges: tuple[int, int]) -> Centres:
    """The channels of 1-based inclusive `ranges`, in order."""
    return np.concatenate([np.array(centres[first - 1 : last]) for first, last in ranges])


def indian_pines_220() -> Centres:
    """Centres of the 220 bands of the full Indian Pines cube; exact."""
    return np.array(INDIAN_PINES_220)


def indian_pines_corrected() -> Centres:
    """Centres of the 200 bands left without water bands 104-108, 150-163 and 220; exact."""
    return _without(INDIAN_PINES_220, (104, 108), (150, 163), (220, 220))


def salinas_corrected() -> Centres:
    """Centres of the 204 bands left without water bands 108-112, 154-167 and 224; approximate."""
    return _without(AVIRIS_224, (108, 112), (154, 167), (224, 224))


def jasper_ridge() -> Centres:
    """Centres of AVIRIS channels 4-107, 113-153 and 167-219, 198 bands; approximate."""
    return _only(AVIRIS_224, (4, 107), (113, 153), (167, 219))


def muufl_gulfport() -> Centres:
    """Centres of the 64 bands kept of CASI-1500's 72 over 375-1050 nm; approximate.

    The 72 bands divide the range evenly; the files leave out the first and the last four.
    """
    edges = np.linspace(375.0, 1050.0, 73)
    return ((edges[:-1] + edges[1:]) / 2)[4:-4]


def pavia_university() -> Centres:
    """Centres of 103 bands spaced evenly over ROSIS's 430-860 nm; approximate."""
    return np.linspace(430.0, 860.0, 103)


def pavia_centre() -> Centres:
    """Centres of 102 bands spaced evenly over ROSIS's 430-860 nm; approximate."""
    return np.linspace(430.0, 860.0, 102)


def botswana() -> Centres:
    """Centres of Hyperion bands 10-55, 82-97, 102-119, 134-164 and 187-220, 145; approximate.

    Each of Hyperion's two spectrometers has evenly spaced bands to within 0.1 nm: bands 10 and 55
    at 447.17 and 905.05 nm, bands 82 and 224 at 962.91 and 2395.50 nm.
    """
    hyperion = np.zeros(224)
    hyperion[9:55] = np.linspace(447.17, 905.05, 46)
    hyperion[81:] = np.linspace(962.91, 2395.50, 143)
    return _only(tuple(hyperion), (10, 55), (82, 97), (102, 119), (134, 164), (187, 220))


def wavelength_span(centres: Centres | None) -> list[float] | None:
    """The lowest and the highest of the centres of bands; None where there are none."""
    return None if centres is None else [float(centres.min()), float(centres.max())]
