"""What is said before torch and its like are loaded: help, what a command will do, and errors.

Seconds depend on the machine, so that what is looked at is which packages are there by then.
"""

import json
import os
import subprocess
import sys

import click
import pytest
from metrics_samples import sample_metrics

from hsi_suite.cli import cli

# Each takes a good part of a second, or several.
HEAVY = ("torch", "sklearn", "matplotlib", "scipy", "h5py", "tifffile", "pandas")
# Carries out commands one after the other; each ends where it asks for a heavy package.
WATCHED = """
import contextlib, io, json, sys
from hsi_suite.cli import cli, main

class Asked(BaseException):
    pass

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in HEAVY:
            raise Asked(name)

HEAVY = json.loads(sys.argv[1])
sys.meta_path.insert(0, Watch())
told = []
for words in json.loads(sys.argv[2]):
    sys.argv = ["hsi", *words]
    out, err, asked = io.StringIO(), io.StringIO(), ""
    out.reconfigure = err.reconfigure = lambda **_: None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit:
            pass
        except Asked as package:
            asked = str(package)
    told.append([out.getvalue(), err.getvalue(), asked])
print(json.dumps(told))
"""


TRAININGS = {
    "train --dataset synthetic": "hybridsn on synthetic, seed 0, device auto; results go into runs",
    "train --dataset synthetic --model svm --seed 3 --output there":
        "svm on synthetic, seed 3, device auto; results go into there",
    "train --dataset synthetic --runs 3 --device cpu":
        "hybridsn on synthetic, seeds 0 to 2, device cpu; results go into runs",
    "train --scene a.npy --labels b.npy --split disjoint":
        "hybridsn on a, seed 0, device auto; results go into runs",
    "train --scene a.npy --labels b.npy --scene b.npy --labels a.npy":
        "hybridsn on a+b, seed 0, device auto; results go into runs",
    "train --dataset digits": "resnet_20 on digits, seed 0, device auto; results go into runs",
    "train --config denoising/default_denoiser --set data.images=null --set data.folder=run":
        "residual_unet on run, seed 0, device auto; results go into runs",
    "train --config retrieval/synthetic_spectrum_rgb":
        "dscmr on synthetic, seed 0, device auto; results go into runs",
}  # fmt: skip
OTHERS = {
    "train --dataset synthetic --model resnet_20 --set dropout=0.2":
        "hsi train: resnet_20 on synthetic, seed 0, device auto; results go into runs",
    "evaluate run": "hsi evaluate: run, device as it was trained on",
    "evaluate run other --device cpu": "hsi evaluate: 2 runs together, device cpu",
    "evaluate --weights default_denoiser --data run":
        "hsi evaluate: default_denoiser on run, device auto",
    "predict run --scene a.npy -o map.tif":
        "hsi predict: a.npy with run, device auto; the map goes into map.tif",
    "denoise a.png": "hsi denoise: a.png, device auto; results go beside what is denoised",
    "denoise a.png b.npy -o there/": "hsi denoise: 2 inputs, device auto; results go into there/",
    "detect a.npy --anomaly rx -o map.tif": "hsi detect: rx in a.npy; scores go into map.tif",
    "detect a.npy --at 1,2 -o map.tif":
        "hsi detect: ace of the pixel 1,2 in a.npy; scores go into map.tif",
    "audit a.npy --split b.npy -o page.html":
        "hsi audit: a.npy, split by b.npy; the page goes into page.html",
    "retrieve index found --scene a.npy -o index":
        "hsi retrieve index: a.npy with found, device auto; the index goes into index",
    "retrieve query gallery --pixel 1,1 -o there":
        "hsi retrieve query: a pixel in gallery, device auto; results go into there",
    "report run": "hsi report: run, written again from what lies in its folder",
    "report run --figures pdf": "hsi report: the figures of run as PDF",
    "compare run other": "hsi compare: 2 runs or batches, by the first score of each task",
    "data info a.npy": "hsi data info: a.npy",
    "data export a.npy -o cube.hdr": "hsi data export: a.npy; the cube goes into cube.hdr",
    "models describe ssrn": "hsi models describe: ssrn",
    "models compare ssrn hybridsn": "hsi models compare: ssrn, hybridsn",
}  # fmt: skip
HELP = ["--help", *(f"{name} --help" for name in cli.list_commands(click.Context(cli)))]
WRONG = {
    "train --epochs x": "Invalid value",
    "train --dataset syntetic": "unknown name",
    "train --dataset synthetic --set train.epoch=3": "unknown key",
    "train --dataset synthetic --set split.kind=rondom": "rondom",
    "train --config nothing": "no configuration",
    "train --config denoising/default_denoiser --set data.folder=x/": "no such file",
    "train --scene nothing.mat --labels x.mat": "no such file",
    "train --dataset synthetic --split-file nothing.npz": "no such file",
    "train --dataset synthetic --runs 2 --memory-limit 1G": "one run",
    "train --resume nothing": "no such folder",
    "batch nothing": "no configuration",
    "evaluate nothing": "no such folder",
    "predict nothing --scene x.npy -o map.tif": "no such folder",
    "predict nothing --scene x.npy -o map.mp3": "map.mp3",
    "replay nothing": "no such folder",
    "denoise nothing.png": "no such file",
    "detect nothing.hdr --anomaly rx -o map.tif": "no such file",
    "detect a.npy --target nothing.csv -o map.tif": "nothing.csv: no such file",
    "detect a.npy --anomaly rx -o map.tif --truth nothing.npy": "nothing.npy: no such file",
    "detect synthetic --anomaly rx -o map.tif": "hsi data export synthetic -o cube.hdr",
    "denoise synthetic": "hsi data export synthetic -o cube.hdr",
    "denoise a.npy --reference nothing.npy": "nothing.npy: no such file",
    "predict run --scene synthetic -o map.tif": "hsi data export synthetic -o cube.hdr",
    "audit nothing.mat --split a.npy": "nothing.mat: no such file",
    "audit a.npy --split b.npy,nothing.npy": "nothing.npy: no such file",
    "audit a.npy --split b.npy --predictions nothing.npy": "nothing.npy: no such file",
    "audit a.npy --split b.npy --cube synthetic": "hsi data export synthetic -o cube.hdr",
    "data export nothing.mat -o cube.hdr": "nothing.mat: no such file",
    "data info nothing.mat": "nothing.mat: no such file",
    "retrieve index nothing --scene x.npy -o index": "no such folder",
    "retrieve index found --scene synthetic -o index": "hsi data export synthetic -o cube.hdr",
    "retrieve query nothing --pixel 1,1": "no such folder",
    "retrieve query run --pixel 1,1": "run: holds no index.json",
    "retrieve query run": "--spectrum, --patch, --pixel: none given",
    "train --dataset synthetic --model hybridsm": "--model: unknown model 'hybridsm'",
    "train --dataset digits --model nothing": "--model: unknown model 'nothing'",
    "train --config denoising/default_denoiser --model nothing": "unknown model 'nothing'",
    "train --config denoising/default_denoiser --set model.weights=nothing.pth": "no such file",
    "train --dataset synthetic --device gpu": "device: 'gpu'; expected auto, cpu, cuda or cuda:N",
    "train --dataset synthetic --set device=gpu": "device: 'gpu'; expected auto, cpu, cuda",
    "train --resume run --device cuda:x": "device: 'cuda:x'",
    "train --dataset synthetic --device cpu --set train.precision=fp16": "train.precision: fp16 on",
    "train --dataset synthetic --output a.npy": "a.npy: is a file, and no folder",
    "batch wrong.yaml": "models: unknown model 'resnet_19'; expected",
    "batch batch/smoke --together 2": "together: several seeds of classification; expected",
    "batch batch/denoising_smoke --together 2": "together: several seeds of denoising; expected",
    "batch batch/smoke --output a.npy": "a.npy: is a file, and no folder",
    "models describe nothing": "model: unknown model 'nothing'",
    "models compare ssrn nothing": "model: unknown model 'nothing'",
    "report nothing": "nothing: no such folder",
    "compare run nothing": "nothing: no such folder",
    "data info nothing": "data set: unknown name 'nothing'",
    "data fetch nothing": "data set: unknown name 'nothing'",
    "data verify nothing": "data set: unknown name 'nothing'",
    "evaluate --weights nothing.pth": "nothing.pth: no such file",
    "evaluate --weights nothing": "no 'nothing' among them",
    "evaluate --weights default_denoiser --pairs a/nothing": "nothing: no such folder",
    "evaluate --weights default_denoiser --pairs nothing": "HSI_DATA_DIR: nowhere is not a folder",
    "evaluate --weights default_denoiser --device gpu": "device: 'gpu'",
    "predict run --scene a.npy -o map.tif --device gpu": "device: 'gpu'",
    "predict run --scene a.npy -o map.tif --min-area x": "--min-area: x",
    "predict run --scene a.npy -o map.tif --majority 4": "--majority: 4",
    "predict run --scene a.npy -o map.tif --vector map.shp": "--vector writes a GeoPackage",
    "denoise a.npy --model nothing": "no 'nothing' among them",
    "denoise a.npy --weights nothing.pth": "nothing.pth: no such file",
    "denoise a.npy --device gpu": "device: 'gpu'",
    "denoise a.npy --precision fp16 --device cpu": "--precision: fp16 on cpu",
    "denoise a.npy --strength 2": "--strength: 2; expected 0 to 1",
    "denoise a.npy --sigma -3": "--sigma: -3",
    "denoise a.npy --tile 0": "--tile: 0",
    "denoise a.png --rank 3": "--rank: given with a.png; expected cubes. Leave it out",
    "denoise a.png --nodata 0": "--nodata: given with a.png; expected cubes",
    "denoise a.png --local": "--local: given with a.png; expected cubes",
    "denoise pictures a.png --drop-water": "--drop-water: given with pictures/a.png",
    "denoise a.npy --format png": "--format: given with a.npy; expected photographs. Leave it out",
    "denoise a.png --weights b.npy": "b.npy: is empty; expected a DnCNN",
    "denoise a.png --weights lost.yaml": "lost.yaml: is no checkpoint; expected a DnCNN",
    "evaluate --weights lost.yaml --data set12": "lost.yaml: is no checkpoint; expected a DnCNN",
    "train --scene a.npy --labels b.npy --class-names run": "run: is a folder; expected a text",
    "train --scene a.npy --labels b.npy --class-names b.npy": "b.npy: holds no class names",
    "audit b.npy --split b.npy --class-names b.npy": "b.npy: holds no class names",
    "denoise a.npy --noise camera": "--noise: given with a.npy; expected photographs",
    "denoise a.npy --sigma 5,5": "--sigma: 2 values given with a.npy; expected one value",
    "denoise a.png --sigma 300": "--sigma: 300; expected 0 to 255, whatever the image's depth",
    "denoise pictures --sigma 300": "--sigma: 300; expected 0 to 255, whatever the image's depth",
    "denoise pictures --nodata 0": "--nodata: given with pictures/a.png; expected cubes",
    "denoise a.png --add-noise 256": "--add-noise: 256; expected 0 to 255",
    "denoise a.png b.npy --reference b.npy --add-noise 5": "given with a.png and b.npy; expected",
    "denoise a.png --compare --language zh": "--language: given without a page to write",
    "train --scene a.npy --labels b.npy --labels-field x": "b.npy: --labels-field is given, and",
    "train --scene a.npy --labels b.npy --scene b.npy --labels a.npy --all-touched": "b.npy",
    "audit a.npy --split b.npy --labels-layer x": "a.npy: --labels-layer is given, and this is no",
    "retrieve index found --scene a.npy -o index --labels-crs EPSG:4326": "given without labels",
    "retrieve index found --scene a.npy --labels b.npy -o index --all-touched": "b.npy: --all-",
    "denoise a.npy --add-kind stripes": "--add-kind: given without --add-noise",
    "retrieve index run --scene a.npy -o index --device gpu": "device: 'gpu'",
    "replay run --device gpu": "device: 'gpu'",
    "detect a.npy --anomaly rx -o map.mp3": "map.mp3",
    "doctor --gpu --device gpu": "device: 'gpu'",
    "train --dataset synthetic --set block=nothing": "options.block: unknown name 'nothing'",
    "train --dataset synthetic --set block=reduction_a": "reduction_a, which changes sizes",
    "train --dataset synthetic --set block.name=x": "model.options.block: unknown name 'x'",
    "train --dataset synthetic --set stages.2d.norm=b": "stages.2d.norm: unknown name 'b'",
    "train --dataset synthetic --set attention=so": "model.options.attention: unknown name 'so'",
    "train --dataset synthetic --set activation=rely": "activation: unknown name 'rely'; expected",
    "train --dataset synthetic --model vgg_11 --set norm=x": "model.options.norm: unknown name 'x'",
    "train --config smoke/denoising --set data.folder=run --set block=x": "block: unknown name 'x'",
    "train --config retrieval/synthetic_spectrum_rgb --set first_encoder=x": "encoder: unknown",
    "train --config retrieval/synthetic_spectrum_rgb --set data.pair=rgb:x": "unknown kind 'x'",
    "train --config retrieval/synthetic_spectrum_rgb --dataset x": "data set: unknown name 'x'",
    "train --config denoising/default_denoiser --set data.images=x": "image set: unknown name 'x'",
    "train --config denoising/default_denoiser": "HSI_DATA_DIR: nowhere is not a folder",
    "train --dataset salinas": "HSI_DATA_DIR: nowhere is not a folder; expected a folder of data",
    "train --dataset cifar10": "HSI_DATA_DIR: nowhere is not a folder; expected a folder of data",
    "train --dataset synthetic --model auto --set auto.candidates=[lda,x]": "candidate 'x'",
    "train --dataset synthetic --model auto --set model.window=5": "a window of each candidate's",
    "train --dataset synthetic --set split.guard=1": "split.guard: 1 with split.kind=random",
    "train --dataset synthetic --test-scene x": "--split: scenes, with a single scene",
    "train --scene a.npy --labels b.npy --labels-crs x": "--labels-crs: 'x' is no reference system",
    "train --scene a.npy --labels b.npy --bands 0": "--bands: 0; expected numbers from 1",
    "audit a.npy --split b.npy --labels-crs x": "--labels-crs: 'x' is no reference system",
    "evaluate --weights default_denoiser": "HSI_DATA_DIR: nowhere is not a folder; expected",
    "denoise a.npy --rank 0": "--rank: 0; expected auto or a number, at least 1",
    "denoise a.npy --model b.npy": "no 'b.npy' among them",
    "denoise a.npy --bands 0": "--bands: 0; expected numbers from 1",
    "data export salinas -o c.hdr": "HSI_DATA_DIR: nowhere is not a folder; expected a folder",
    "models describe hybridsn --set dropout=x": "options.dropout: 'x'; expected a number, 0 to bel",
    "models describe dncnn --set block=x": "model.options.block: unknown name 'x'",
    "compare run other --metric x": "--metric: no run has 'x'; expected one of",
    "train --dataset synthetic --device cuda:97": "device: cuda:97, and this machine has",
    "predict run --scene a.npy -o map.tif --device cuda:97": "device: cuda:97, and this machine",
    "train --dataset synthetic --set model.options.dropuot=0.2": "options.dropuot: unknown option",
    "train --dataset synthetic --set dropout=2": "model.options.dropout: 2; expected a number",
    "train --config smoke/denoising --set data.folder=run --set channels=[-1]": "channels: [-1]",
    "train --config smoke/denoising --set data.folder=run --set blocks=0": "an empty level",
    "train --dataset digits --set width=-1": "options.width: -1; expected a number, above 0",
    "train --dataset synthetic --set scale=x": "model.options.scale: 'x'; expected a number, above",
    "train --dataset synthetic --set gather=x": "options.gather: 'x'; expected places or weighted",
    "train --dataset synthetic --set stages=3": "model.options.stages: 3; expected a mapping or",
    "train --dataset synthetic --set stages.x.norm=batch": "options.stages.x: no such stage",
    "train --dataset synthetic --set stages.2d.nrm=x": "stages.2d.nrm: unknown key; expected one",
    "train --dataset synthetic --set stages.head.norm=batch": "more than an attention",
    "train --dataset synthetic --set attention.name=se --set attention.reduction=0": "reduction: 0",
    "train --dataset synthetic --set block.name=residual --set block.kernel_size=0": "size: 0; e",
    "train --dataset synthetic --model svm --set C=1": "model.options: {'C': 1} with svm; expected",
    "train --dataset synthetic --model dncnn": "model.name: dncnn is for denoising; expected one",
    "train --dataset digits --model svm": "model.name: svm is for single spectra; expected",
    "train --dataset synthetic --model nothing.py:Net": "--model: no file nothing.py",
    "train --scene a.npy --labels b.npy --bands 1-x": "--bands: '1-x'; expected good, all, or",
    "train --scene a.npy --labels b.npy --axes q": "--axes: 'q'; expected y, x and band",
    "train --dataset synthetic --memory-limit 1M": "--memory-limit: 1 MB; expected at least 110 MB",
    "train --config denoising/default_denoiser --set data.folder=a.npy": "a.npy: is a file",
    "evaluate unfinished": "unfinished: is not finished",
    "evaluate run found": "found: is a run of retrieval; expected classification",
    "evaluate found --dropout-at-test": "--dropout-at-test: a run of retrieval",
    "evaluate --weights default_denoiser --data a.npy": "a.npy: is a file; expected a folder of",
    "evaluate --weights default_denoiser --data classification/svm": "trains no denoiser",
    "evaluate --weights default_denoiser --sigma 300": "--sigma: [300.0]; expected numbers from 0",
    "evaluate --weights default_denoiser --jpeg 0": "--jpeg: 0; expected whole numbers of 1 to 100",
    "evaluate --weights default_denoiser --upsample 9": "--upsample: 9; expected whole numbers of",
    "evaluate --weights default_denoiser --iso 0": "--iso: [0.0]; expected numbers above 0",
    "evaluate --weights default_denoiser --pairs run": "run: holds no pairs of photographs",
    "predict unfinished --scene a.npy -o map.tif": "unfinished: is not finished",
    "predict found --scene a.npy -o map.tif": "found: is a run of retrieval; expected one that",
    "predict run --scene a.npy -o a.npy": "a.npy: would replace the scene",
    "predict run --scene a.npy -o b.npy": "b.npy: exists already",
    "predict run --scene a.npy -o b.npy/map.tif": "b.npy: is a file, and no folder",
    "predict run --scene a.npy -o run/map.tif": "run/map.tif: lies inside a run's folder",
    "predict run --scene run -o map.tif": "run: this is the folder of a run; expected a file",
    "denoise a.png --contact-sheet sheet.gif": "sheet.gif: is no name of a contact sheet",
    "denoise a.png --contact-sheet a.png": "a.png: is an input or a result",
    "denoise a.png -o clean.gif": "clean.gif: ends as no image file does",
    "denoise a.npy -o clean.png": "the ending '.png' names no format",
    "denoise a.png -o a.png": "a.png: is an input",
    "denoise a.png -o b.npy/clean.png": "b.npy: is a file, and no folder",
    "denoise a.png b.npy -o clean.png": "clean.png: is one file for several inputs",
    "denoise a.png -o clean.png --format jpeg": "--format: jpeg for clean.png; expected one kind",
    "denoise a.png --quality 50": "--quality: without the kind of file; expected JPEG, WebP",
    "denoise a.png --reference run": "run: is a folder; expected the clean image or cube",
    "denoise a.png --language zh": "--language: given without a page to write",
    "detect a.npy --anomaly rx -o a.npy": "a.npy: is an input",
    "detect a.npy --anomaly rx -o b.npy": "b.npy: exists already",
    "detect a.npy --anomaly rx -o map.tif --false-alarms 2": "--false-alarms: 2; expected between",
    "detect a.npy --at 1,2 -o map.tif --units percent": "--units: given without --target",
    "audit a.npy --split b.npy -o page.pdf": "page.pdf: is not the name of a page",
    "audit a.npy --split b.npy -o b.npy/page.html": "b.npy: is a file, and no folder",
    "audit a.npy --split b.npy --window 4": "--window: 4; expected a positive odd number",
    "audit a.npy --split b.npy --nodata 3": "--nodata: given without a cube",
    "audit run --split b.npy": "run: this is the folder of a run; expected a file",
    "audit a.npy --split run": "run: a folder without split.npz",
    "retrieve index run --scene a.npy -o index": "run: is a run of classification; expected a run",
    "retrieve index found -o index": "--scene, --dataset: neither given",
    "retrieve index found --dataset nothing -o index": "data set: unknown name 'nothing'",
    "retrieve index found --scene a.npy -o b.npy": "b.npy: is a file, and no folder",
    "retrieve index found --scene a.npy -o run": "run: exists already and is no index",
    "retrieve query gallery --pixel 1,1 --top 0": "--top: 0; expected 1 to 600, the items",
    "retrieve query gallery --pixel 1,1 --top 700": "--top: 700; expected 1 to 600, the items",
    "retrieve query gallery --pixel 20,1": "--pixel: line 20, sample 1; expected 0 to 19, 0 to 29",
    "retrieve query gallery --patch a.png --at 3,-1": "--at: 3,-1; expected X and Y from 0",
    "retrieve query gallery --pixel 1,1 --run nothing": "nothing: the run that made the index is",
    "retrieve query damaged --pixel 1,1": "index.json: names no format",
    "retrieve index found --scene a.npy -o index --side red": "'red' is not of this run; expected",
    "retrieve index found --dataset salinas -o index": "HSI_DATA_DIR: nowhere is not a folder",
    "retrieve query gallery --pixel 1,1 -o b.npy": "b.npy: is a file, which is no result of a",
    "batch batch/smoke --tls-cert x": "--tls-ca-file, --tls-cert, --tls-key: not all of them",
    "batch batch/smoke --scheduler here": "--scheduler: 'here'; expected local, or an address",
    "batch lost.yaml": "nothing: no configuration of this name",
    "batch keys.yaml": "classification/lda: train.epohcs: unknown key; expected one of epochs",
    "report gallery": "gallery: holds neither a run nor a finished batch",
    "report unfinished": "unfinished: the run is not finished",
    "report run --figures png --width 1mm": "--width: 1 mm; expected 40 to 500 mm",
    "report run --figures png -o b.npy": "b.npy: is a file, and no folder",
    "compare gallery": "gallery: holds no runs",
    "data export a.npy -o cube.mat": "cube.mat: the ending '.mat' names no format",
    "data export a.npy -o a.npy": "a.npy: is an input",
    "data export a.npy -o b.npy": "b.npy: exists already",
    "data export synthetic -o c.tif --labels-output c.tif": "c.tif: a file of the cube too",
    "data export synthetic -o c.tif --labels-output c.mat": "c.mat: unknown kind of map",
    "data export nothing -o c.tif": "data set: unknown name 'nothing'",
    "models describe ssrn --input x": "--input: 'x'; expected positive numbers",
    "models describe ssrn --set dropuot=1": "model.options.dropuot: unknown option of ssrn",
    "models describe dncnn --set depth=0": "options.depth: 0; expected a whole number, 1 to 1024",
    "models describe hybridsn --set num_classes=0": "num_classes: 0; expected a whole number, 1",
    "models describe hybridsn --set window=9": "window: set; expected nothing: it follows from",
    "models describe hybridsn --input 30": "input: 30; expected channels × lines × samples with",
    "models describe ffdnet --input 1x9x9": "expected channels × lines × samples, the last channel",
    "models compare ssrn hybridsn --input 30x25": "input: 30×25; expected channels × lines",
    "models describe svm": "svm: a classical model, which has no layers",
    "models compare ssrn --runs gallery": "gallery: holds no runs",
    "models compare ssrn ssrn": "NAME: ssrn twice; expected each network once",
    "models compare ssrn -o b.npy": "b.npy: is a file, and no folder",
    "train --dataset synthetic --set reduction.components=9999": "9999 components of 100 bands",
    "train --dataset synthetic --set model.window=7": "HybridSN: a window of 7; expected an odd",
    "train --dataset synthetic --set model.window=99": "a window of 99 in a scene of 72 × 72",
    "train --dataset synthetic --set model.filter=99": "model.filter: a window of 99 in a scene",
    "train --dataset synthetic --set model.name=x": "model.name: unknown model 'x'; expected",
    "train --dataset synthetic --split disjoint --set split.train=2": "split.train: a share of 2.0",
    "train --dataset synthetic --set dropout=1": "options.dropout: 1; expected a number, 0 to b",
    "train --dataset jasper_ridge --set data.seed=3": "jasper_ridge was recorded by a sensor",
    "train --dataset synthetic --set data.bands=x": "--bands: 'x'; expected good, all, or",
    "train --dataset synthetic --model auto --set split.validation=0.2 --set train.selection=best":
        "a model that its validation pixels choose",
    "train --dataset digits --set split.validation=0": "0.0, which leaves no image to select by",
    "train --dataset digits --set model.name=x": "model.name: unknown model 'x'; expected",
    "train --dataset digits --set model.weights=a.npy": "resnet_20: not among torchvision's",
    "train --dataset digits --model vgg_11 --set model.weights=n.pth": "n.pth: no such file",
    "train --config smoke/denoising --set data.validation=400": "validation: 400 of 400 images",
    "train --config smoke/denoising --set model.name=x": "model.name: unknown model 'x'; expected",
    "train --config retrieval/synthetic_spectrum_rgb --set data.window=99": "a window of 99 in a",
    "train --config retrieval/synthetic_spectrum_rgb --set data.pair=pca:rgb "
    "--set data.components=101": "data.components: 101 components of 100 bands",
    "denoise a.png --sigma 5,5": "a.png: has one page, and --sigma names 2; expected one",
}  # fmt: skip
LISTS = {
    "models list": "hybridsn",
    "models list --json": '"parameters": 5122176',
    "models list --blocks": "se_residual",
    "config list": "classification/hybridsn",
    "config show classification/hybridsn --all": "orientations",
}
BATCH, AGAIN = "batch batch/smoke", "replay run"
INDEX = {
    "format": "hsi_suite retrieval index 1", "run": "run", "model": 64 * "0", "side": "second",
    "modality": "rgb", "window": 3, "name": "gallery", "provenance": {}, "lines": 20, "samples": 30,
    "bands": 3, "step": 1, "items": 600, "missing": 0, "dimensions": 8, "wavelengths": None,
    "georeference": None, "class_names": [], "synthetic": False, "identity": {}, "versions": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Output, errors and the heavy package that was asked for ("" if none), by command."""
    folder = tmp_path_factory.mktemp("first_line")
    for name in ("a.npy", "b.npy", "a.png"):
        (folder / name).touch()
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a.png").touch()
    (folder / "wrong.yaml").write_text(
        "task: batch\ndatasets: [synthetic]\nmodels: [lda, resnet_19]\nruns: 2\n"
    )
    (folder / "keys.yaml").write_text(
        "task: batch\ndatasets: [synthetic]\nmodels: [lda]\nruns: 2\nset: {train: {epohcs: 3}}\n"
    )
    (folder / "lost.yaml").write_text("task: batch\nconfigs: [nothing]\nruns: 2\n")
    for name in ("run", "other", "found", "unfinished", "gallery", "damaged"):
        (folder / name).mkdir()
    paired = "{task: retrieval, data: {pair: 'spectrum:rgb'}}"
    for name, task in (("run", "{}"), ("other", "{}"), ("found", paired)):
        (folder / name / "config.yaml").write_text(task)
        (folder / name / "metrics.json").write_text(json.dumps(sample_metrics(seed=0)))
        (folder / name / "environment.json").write_text('{"data": {}}')
    (folder / "run" / "model.safetensors").touch()
    (folder / "unfinished" / "config.yaml").write_text("{}")
    (folder / "gallery" / "index.json").write_text(json.dumps(INDEX))
    (folder / "damaged" / "index.json").write_text("{}")
    lines = [*HELP, *LISTS, *WRONG, *TRAININGS, *OTHERS, BATCH, AGAIN, "doctor"]
    words = json.dumps([line.split() for line in lines])
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, json.dumps(HEAVY), words],
        cwd=folder, capture_output=True, text=True, check=True,
        env={**os.environ, "HSI_DATA_DIR": "nowhere"},
    )  # fmt: skip
    return dict(zip(lines, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("line", HELP)
def test_help_needs_nothing_heavy(told, line):
    out, err, asked = told[line]
    assert out.startswith(f"Usage: hsi {line.partition('--')[0]}".rstrip())
    assert (err, asked) == ("", "")


@pytest.mark.parametrize("line", LISTS)
def test_lists_need_nothing_heavy(told, line):
    out, err, asked = told[line]
    assert (err, asked) == ("", "") and LISTS[line] in out


@pytest.mark.parametrize("line", WRONG)
def test_what_can_be_refused_at_once_is(told, line):
    out, err, asked = told[line]
    assert (out, asked) == ("", "")
    assert err.startswith("error: ") and err.count("\n") == 1 and WRONG[line] in err


@pytest.mark.parametrize("line", TRAININGS)
def test_a_training_says_what_it_will_do_before_anything_heavy_is_loaded(told, line):
    out, err, asked = told[line]
    assert (out, err) == ("", f"hsi train: {TRAININGS[line]}\n")
    assert asked in HEAVY


@pytest.mark.parametrize("line", OTHERS)
def test_other_commands_do_so_too(told, line):
    out, err, asked = told[line]
    assert (out, err) == ("", f"{OTHERS[line]}\n")
    assert asked in HEAVY


def test_doctor_tells_of_packages_first(told):
    out, err, asked = told["doctor"]
    assert out.startswith("hsi-suite ") and (err, asked) == ("", "torch")


def test_batches_and_replays_do_so_too(told):
    assert told[BATCH][1] == "hsi batch: smoke, 2 seeds; results go into runs\n"
    assert told[BATCH][2] in HEAVY
    assert told[AGAIN][1].startswith("replay 1 of 1: run\n")
