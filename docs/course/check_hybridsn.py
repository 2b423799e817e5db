"""Check a HybridSN of your own: chapter 2 of the course.

    python docs/course/check_hybridsn.py my_hybridsn.py            # the class HybridSN in it
    python docs/course/check_hybridsn.py my_hybridsn.py --class Net
    python docs/course/check_hybridsn.py my_hybridsn.py --language zh

Stops at the first fault with one line that says what was found, what was expected and what to look
at; exit status 0 where all is well, 1 at a fault, 2 where there is no file. Names of layers and how
they are put together are free: it looks at what torch sees. Needs torch alone.
"""

import argparse
import importlib.util
import math
import os
import sys
from pathlib import Path

import torch
from torch import nn

COMPONENTS, WINDOW, CLASSES, PARAMETERS = 30, 25, 16, 5_122_176
# Table I of the paper: kind, what leaves the layer (without the batch), parameters.
LAYERS = [
    (nn.Conv3d, (8, 24, 23, 23), 512),
    (nn.Conv3d, (16, 20, 21, 21), 5_776),
    (nn.Conv3d, (32, 18, 19, 19), 13_856),
    (nn.Conv2d, (64, 17, 17), 331_840),
    (nn.Linear, (256,), 4_735_232),
    (nn.Linear, (128,), 32_896),
    (nn.Linear, (16,), 2_064),
]
KINDS = (nn.Conv3d, nn.Conv2d, nn.Linear)
CHINESE = False


class Fault(Exception):
    """What is wrong, in one line."""


def fault(english, chinese):
    """One line in the language that was asked for."""
    return Fault(" ".join((chinese if CHINESE else english).split()))


def fine(english, chinese):
    """Say what is in order."""
    print("ok  ", chinese if CHINESE else english)


def shown(size):
    """A shape as papers write it."""
    return " × ".join(map(str, size))


def load(path, name):
    """The class in the file."""
    spec = importlib.util.spec_from_file_location("my_network", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise fault(f"{path} does not run: {reason}", f"{path} 无法运行：{reason}") from error
    if not isinstance(getattr(module, name, None), type):
        raise fault(
            f"{path} has no class {name}; name yours with --class",
            f"{path} 里没有类 {name}；请用 --class 指明类名",
        )
    return getattr(module, name)


def build(network, components=COMPONENTS, classes=CLASSES, window=WINDOW):
    """The network for such an input."""
    try:
        torch.manual_seed(0)
        model = network(components, classes, window)
    except NotImplementedError as error:
        raise fault(f"not written yet: {error}", f"还没有写：{error}") from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise fault(
            f"the network cannot be built for {components} components, {classes} classes and a "
            f"window of {window} ({reason}); it takes in_channels, num_classes, window",
            f"无法按 {components} 个主成分、{classes} 类、{window} 像素的窗口建立网络（{reason}）；"
            "构造函数的参数应为 in_channels, num_classes, window",
        ) from error
    if not isinstance(model, nn.Module):
        raise fault("the class is no nn.Module", "这个类不是 nn.Module 的子类")
    return model


def example(items=2, components=COMPONENTS, window=WINDOW):
    """Windows of whitened components, drawn at random."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(items, components, window, window, generator=generator)


def watched(model, windows):
    """Logits, and of each layer with weights in the order of use: itself, input, output."""
    calls, hooks = [], []
    for layer in model.modules():
        if isinstance(layer, KINDS):
            hooks += [
                layer.register_forward_pre_hook(check_axes),
                layer.register_forward_hook(
                    lambda *call: calls.append((call[0], call[1][0], call[2]))
                ),
            ]
    try:
        with torch.no_grad():
            logits = model(windows)
    except NotImplementedError as error:
        raise fault(f"not written yet: {error}", f"还没有写：{error}") from error
    except Fault:
        raise
    except Exception as error:
        if windows.shape[1:] == (COMPONENTS, WINDOW, WINDOW):
            # What stops a layer is often the one before it.
            compare_layers(calls)
        raise stopped(model, windows, calls, error) from error
    finally:
        for hook in hooks:
            hook.remove()
    return logits, calls


def check_axes(layer, inputs):
    """Refuse what torch would take for one item without a batch, or not at all."""
    axes, size = inputs[0].ndim, shown(inputs[0].shape)
    if isinstance(layer, nn.Conv3d) and axes != 5:
        raise fault(
            f"a 3-D convolution is given {size}, which is {axes} axes; it takes 5: add the axis of "
            "the one input channel, windows.unsqueeze(1)",
            f"三维卷积收到 {size}，共 {axes} 个轴；它需要 5 个：用 windows.unsqueeze(1) 加上通道轴",
        )
    if isinstance(layer, nn.Conv2d) and axes != 4:
        raise fault(
            f"the 2-D convolution is given {size}, which is {axes} axes; it takes 4: join kernels "
            "and components to channels before it, volume.flatten(1, 2)",
            f"二维卷积收到 {size}，共 {axes} 个轴；它需要 4 个：先把卷积核与波段两个轴合并成通道，"
            "volume.flatten(1, 2)",
        )
    if isinstance(layer, nn.Linear) and axes != 2:
        raise fault(
            f"a fully connected layer is given {size}; flatten all but the batch before it",
            f"全连接层收到 {size}；请先把除批次以外的轴展平（flatten）",
        )


def stopped(model, windows, calls, error):
    """What to say where a layer cannot take its input."""
    number = len(calls)
    reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    after = behind = ""
    if calls:
        last = f"{type(calls[-1][0]).__name__} {shown(calls[-1][2].shape)}"
        after, behind = f" after {last}", f"（在 {last} 之后）"
    if "NoneType" in reason:
        hint, chinese = (
            "does each step end in a return?",
            "每一步的函数都写了 return 吗？",
        )
    elif windows.shape[1:] == (COMPONENTS, WINDOW, WINDOW):
        hint, chinese = (
            "compare what enters that layer with the table in the skeleton's head",
            "请把进入该层的形状与骨架文件开头的表对照",
        )
    else:
        hint, chinese = (
            f"for {windows.shape[1]} components and a window of {windows.shape[-1]} compute what "
            "enters a layer from in_channels and window",
            f"当前为 {windows.shape[1]} 个主成分、窗口 {windows.shape[-1]}：每层的输入大小要由 "
            "in_channels 和 window 算出",
        )
    return fault(
        f"stops at layer {number + 1}{after} ({reason}); {hint}",
        f"在第 {number + 1} 层停下{behind}（{reason}）；{chinese}",
    )


def check_layers(calls):
    """Kinds, sizes and parameters of the layers, one by one."""
    compare_layers(calls)
    for number, (kind, size, parameters) in enumerate(LAYERS[: len(calls)], 1):
        fine(
            f"layer {number}: {kind.__name__} {shown(size)}, {parameters:,} parameters",
            f"第 {number} 层：{kind.__name__} {shown(size)}，{parameters:,} 个参数",
        )
    if len(calls) != len(LAYERS):
        raise fault(
            f"{len(calls)} layers with weights are used; the paper has {len(LAYERS)}",
            f"用到了 {len(calls)} 个带权重的层；论文有 {len(LAYERS)} 个",
        )


def compare_layers(calls):
    """Refuse the first layer that is not the paper's."""
    for number, ((layer, _, output), (kind, size, parameters)) in enumerate(
        zip(calls, LAYERS, strict=False), 1
    ):
        found = tuple(output.shape[1:])
        if not isinstance(layer, kind):
            raise fault(
                f"layer {number} is {type(layer).__name__}; the paper has {kind.__name__} there",
                f"第 {number} 层是 {type(layer).__name__}；论文在这里用 {kind.__name__}",
            )
        if found != size:
            english, chinese = hint_of_size(layer)
            raise fault(
                f"layer {number} ({kind.__name__}) gives {shown(found)}; the paper has "
                f"{shown(size)}: {english}",
                f"第 {number} 层（{kind.__name__}）输出 {shown(found)}；论文是 {shown(size)}："
                f"{chinese}",
            )
        own = sum(each.numel() for each in layer.parameters())
        if own != parameters:
            raise fault(
                f"layer {number} ({kind.__name__}) has {own:,} parameters; the paper has "
                f"{parameters:,}: look at its kernel, channels and bias",
                f"第 {number} 层（{kind.__name__}）有 {own:,} 个参数；论文是 {parameters:,}："
                "请检查卷积核大小、通道数和偏置",
            )


def hint_of_size(layer):
    """What a wrong size of an output comes from, in both languages."""
    if isinstance(layer, nn.Linear):
        return "look at the number of its units", "请检查神经元个数"
    padded = layer.padding != (0,) * len(layer.padding)
    if padded:
        return (
            f"it pads ({layer.padding}), HybridSN does not",
            f"它做了填充 {layer.padding}，HybridSN 不填充",
        )
    if layer.stride != (1,) * len(layer.stride):
        return f"its stride is {layer.stride}, not 1", f"步长是 {layer.stride}，应为 1"
    return (
        f"look at the kernel {layer.kernel_size} (components first, then lines and samples) and at "
        "the number of kernels",
        f"请检查卷积核 {layer.kernel_size}（先是波段轴，然后是行、列）和卷积核的个数",
    )


def check_activations(calls):
    """ReLU after every layer but the last."""
    for number, (_, entered, _) in enumerate(calls[1:], 1):
        if entered.min() < 0:
            raise fault(
                f"what leaves layer {number} reaches layer {number + 1} with negative values: put "
                "a ReLU between them",
                f"第 {number} 层的输出带着负值进入第 {number + 1} 层：两层之间缺少 ReLU",
            )
    fine("ReLU between all layers", "各层之间都有 ReLU")


def check_parameters(model):
    """All of them, used or not."""
    count = sum(each.numel() for each in model.parameters())
    if count != PARAMETERS:
        raise fault(
            f"{count:,} parameters; the paper has {PARAMETERS:,}: is there a layer too many?",
            f"共 {count:,} 个参数；论文是 {PARAMETERS:,}：是不是多了一层？",
        )
    fine(f"{count:,} parameters", f"共 {count:,} 个参数")


def check_logits(logits, items=2):
    """Scores of any size and sign, one row for each window."""
    if not torch.is_tensor(logits):
        raise fault(
            f"forward() gives {type(logits).__name__}, not a tensor of logits: does it end in "
            "return?",
            f"forward() 返回 {type(logits).__name__}，不是 logits 张量：最后写了 return 吗？",
        )
    size = tuple(logits.shape)
    if size != (items, CLASSES):
        raise fault(
            f"gives {shown(size)} for {items} windows; expected {items} × {CLASSES} logits",
            f"{items} 个窗口得到 {shown(size)}；应为 {items} × {CLASSES} 的 logits",
        )
    sums = logits.exp().sum(1)
    plain = logits.sum(1)
    if torch.allclose(sums, torch.ones(items), atol=1e-4) or (
        logits.min() >= 0 and torch.allclose(plain, torch.ones(items), atol=1e-4)
    ):
        raise fault(
            "the outputs are already (log-)probabilities: leave softmax out, cross-entropy has it "
            "inside, and twice it learns slowly",
            "输出已经是（对数）概率：请去掉 softmax，交叉熵损失里已经含有它，做两次会学得很慢",
        )
    if logits.min() >= 0:
        raise fault(
            "no output is negative: leave out the ReLU after the last layer",
            "所有输出都不为负：请去掉最后一层之后的 ReLU",
        )
    fine("logits without softmax", "输出 logits，没有 softmax")


def alive(values):
    """The share that is not 0."""
    return float((values != 0).float().mean())


def check_dropout(model):
    """Off in evaluation, a share of 0.4 in training, before the last two layers alone."""
    windows = example()
    model.eval()
    first, calls = watched(model, windows)
    if not torch.equal(first, watched(model, windows)[0]):
        raise fault(
            "in eval() the same windows get other logits each time: dropout stays on (nn.Dropout, "
            "or F.dropout(x, 0.4, training=self.training)), or forward() makes a layer anew",
            "在 eval() 下，同样的窗口每次得到不同的结果：dropout 没有关闭（请用 nn.Dropout，或 "
            "F.dropout(x, 0.4, training=self.training)），或者 forward() 里每次都新建了一层",
        )
    model.train()
    before = [entered for _, entered, _ in calls] + [first]
    shares = []
    for seed in range(8):
        torch.manual_seed(seed)
        logits, now = watched(model, windows)
        now = [entered for _, entered, _ in now] + [logits]
        # Where the layer before varies already, as many of its units are alive on average.
        shares.append([alive(new) / alive(old) for new, old in zip(now, before, strict=True)])
    for number, kept in enumerate(zip(*shares, strict=True), 1):
        dropped = max(0.0, 100 - 100 * sum(kept) / len(kept))
        if abs(dropped - (40 if number in (6, 7) else 0)) > 10:
            here, there = f"enters layer {number}", f"进入第 {number} 层的值"
            if number == len(before):
                here, there = "leaves the last layer", "最后一层的输出"
            raise fault(
                f"in training {dropped:.0f} % of what {here} is dropped; the paper drops 40 %, "
                "before layers 6 and 7 and nowhere else (nn.Dropout takes the share that is "
                "dropped, not kept)",
                f"训练时{there}有 {dropped:.0f} % 被丢弃；论文只在第 6、7 层之前各丢弃 40 %"
                "（nn.Dropout 的参数是丢弃的比例，不是保留的比例）",
            )
    model.eval()
    fine("dropout of 0.4, in training alone", "dropout 为 0.4，只在训练时起作用")


def check_other_sizes(network):
    """One window alone; and the input of another scene."""
    logits, _ = watched(build(network).eval(), example(items=1))
    check_one = tuple(logits.shape)
    if check_one != (1, CLASSES):
        raise fault(
            f"gives {shown(check_one)} for one window; expected 1 × {CLASSES}: no squeeze()",
            f"一个窗口得到 {shown(check_one)}；应为 1 × {CLASSES}：不要用 squeeze()",
        )
    logits, _ = watched(build(network, 15, 9, 11).eval(), example(3, 15, 11))
    if tuple(logits.shape) != (3, 9):
        raise fault(
            f"gives {shown(logits.shape)} for 3 windows and 9 classes; use num_classes",
            f"3 个窗口、9 类得到 {shown(logits.shape)}；请使用 num_classes",
        )
    fine("other windows, components and numbers of classes", "换成其他窗口、主成分数和类别数也能用")


def check_start(model):
    """Glorot's uniform weights and biases of 0."""
    for number, layer in enumerate((x for x in model.modules() if isinstance(x, KINDS)), 1):
        if layer.bias is not None and layer.bias.abs().max() > 0:
            raise fault(
                f"the biases of layer {number} do not begin at 0: Keras begins with Glorot's "
                "weights and biases of 0 (step 4)",
                f"第 {number} 层的偏置不是从 0 开始：Keras 以 Glorot 权重、零偏置开始（第 4 步）",
            )
        fans = nn.init._calculate_fan_in_and_fan_out(layer.weight)
        expected, found = math.sqrt(2 / sum(fans)), float(layer.weight.detach().std())
        if abs(found / expected - 1) > 0.15:
            raise fault(
                f"the weights of layer {number} begin with a deviation of {found:.4f}; Glorot's "
                f"have {expected:.4f}: nn.init.xavier_uniform_(layer.weight) (step 4)",
                f"第 {number} 层权重的初始标准差为 {found:.4f}；Glorot 应为 {expected:.4f}："
                "nn.init.xavier_uniform_(layer.weight)（第 4 步）",
            )
    fine("begins as Keras does", "初始化与 Keras 相同")


def check_gradients(model):
    """The loss reaches every weight."""
    nn.functional.cross_entropy(model(example()), torch.tensor([1, 2])).backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            raise fault(
                f"{name} gets no gradient: is it used, or cut off by detach()?",
                f"{name} 没有梯度：它被用到了吗？是否被 detach() 切断？",
            )
    fine("gradients reach every weight", "梯度能到达每个权重")


def check(path, name="HybridSN"):
    """All checks; raises Fault at the first that fails."""
    network = load(path, name)
    model = build(network).eval()
    logits, calls = watched(model, example())
    check_layers(calls)
    check_activations(calls)
    check_parameters(model)
    check_logits(logits)
    check_dropout(model)
    check_other_sizes(network)
    check_start(model)
    check_gradients(model)


def main():
    """The command line."""
    global CHINESE
    parser = argparse.ArgumentParser(description="Check a HybridSN of your own.")
    parser.add_argument("file")
    parser.add_argument("--class", dest="name", default="HybridSN", metavar="NAME")
    chosen = os.environ.get("HSI_LANGUAGE", "en")
    parser.add_argument("--language", choices=["en", "zh"], default=chosen)
    given = parser.parse_args()
    CHINESE = given.language == "zh"
    if not Path(given.file).is_file():
        print(f"没有文件 {given.file}" if CHINESE else f"no file {given.file}", file=sys.stderr)
        return 2
    try:
        check(given.file, given.name)
    except Fault as found:
        print("不对 " if CHINESE else "wrong", found)
        return 1
    print("这就是 HybridSN。" if CHINESE else "This is HybridSN.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
