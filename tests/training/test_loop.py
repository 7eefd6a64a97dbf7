"""The shared loop on a small model: a killed training resumes to the same bytes, a foreign checkpoint is refused."""

import os
import signal

import psutil
import pytest
import torch

from matlabel.artifacts.errors import UserError
from matlabel.settings.training import TrainingSettings
from matlabel.training.launch import Job, start
from matlabel.training.loop import fit, head_and_backbone, write_history


class Points:
    epoch = 0

    def __init__(self, count=40):
        self.x = torch.randn(count, 5, generator=torch.Generator().manual_seed(1))

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        noise = torch.randn(5, generator=torch.Generator().manual_seed(1000 * self.epoch + index))
        return {"x": self.x[index] + 0.1 * noise, "y": (self.x[index].sum() > 0).float()}


class Killed(Exception):
    pass


def kill():
    raise Killed


def terminate():
    """As a scheduler does it: all processes of the job, those that load included."""
    for process in [*psutil.Process().children(recursive=True), psutil.Process()]:
        process.terminate()


class Model(torch.nn.Module):
    def __init__(self, die_in=None, die=kill):
        super().__init__()
        self.backbone, self.head = torch.nn.Linear(5, 8), torch.nn.Linear(8, 1)
        self.drop, self.die_in, self.die = torch.nn.Dropout(0.3), die_in, die

    def parameter_groups(self, settings):
        return head_and_backbone(self.backbone, [self.head], settings)

    def forward(self, batch, step, steps):
        # Five steps are an epoch.
        if self.die_in is not None and step / 5 >= self.die_in:
            self.die()
        out = self.head(self.drop(torch.relu(self.backbone(batch["x"]))))[:, 0]
        return {"fit": torch.nn.functional.binary_cross_entropy_with_logits(out, batch["y"])}


def train(folder, die_in=None, die=kill, fingerprint="same", count=40, workers=None, model=None, **changes):
    settings = TrainingSettings(**{"epochs": 4, "steps": 0, "batch_size": 8, "threads": 1, "lr": 0.05, **changes})
    job = Job("cam", 3, "cpu", folder / "checkpoint.pt", fingerprint, workers)
    fabric = start(job, settings)
    model = model or Model(die_in, die)
    history = fit(fabric, job, settings, model, Points(count))
    return torch.cat([p.detach().flatten() for p in model.parameters()]), history


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("die_in", [0.5, 1.0, 2.7])
def test_a_killed_training_resumes_to_the_same_weights_and_history(tmp_path, die_in, optimizer):
    undisturbed = train(tmp_path / "a", optimizer=optimizer)
    with pytest.raises(Killed):
        train(tmp_path / "b", die_in=die_in, optimizer=optimizer)
    resumed = train(tmp_path / "b", optimizer=optimizer)
    assert torch.equal(undisturbed[0], resumed[0])
    assert undisturbed[1] == resumed[1]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("die_in", "stand"), [(0.0, "epoch 1, step 1"), (1.4, "epoch 2, step 3"), (2.8, "epoch 3")])
def test_a_training_that_is_told_to_stop_goes_on_from_that_step(tmp_path, capsys, die_in, stand, workers):
    undisturbed = train(tmp_path / "a")
    with pytest.raises(SystemExit) as stopped:
        train(tmp_path / "b", die_in, terminate, workers=workers)
    assert stopped.value.code == 128 + signal.SIGTERM
    resumed = train(tmp_path / "b")
    said = capsys.readouterr().err
    assert f"told to stop; the checkpoint holds {stand}" in said
    assert f"resuming after {stand}" in said
    assert torch.equal(undisturbed[0], resumed[0])
    assert undisturbed[1] == resumed[1]


def test_a_long_epoch_is_kept_now_and_then(tmp_path, capsys, monkeypatch):
    undisturbed = train(tmp_path / "a")
    monkeypatch.setattr("matlabel.training.checkpoint._EVERY", 0)
    with pytest.raises(Killed):
        train(tmp_path / "b", 1.6)
    resumed = train(tmp_path / "b")
    assert "resuming after epoch 2, step 3" in capsys.readouterr().err
    assert torch.equal(undisturbed[0], resumed[0])
    assert undisturbed[1] == resumed[1]


def test_told_in_the_last_step_a_training_stops_too_for_more_may_follow(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    undisturbed = train(tmp_path / "a")
    with pytest.raises(SystemExit):
        train(tmp_path / "b", 3.8, terminate)
    assert signal.getsignal(signal.SIGTERM) is before
    weights, history = train(tmp_path / "b")
    assert torch.equal(undisturbed[0], weights)
    assert undisturbed[1] == history


def test_a_training_of_one_step_an_epoch_stops_when_it_is_told_to(tmp_path):
    undisturbed = train(tmp_path / "a", count=8)
    with pytest.raises(SystemExit):
        train(tmp_path / "b", 0.4, terminate, count=8)
    assert torch.equal(undisturbed[0], train(tmp_path / "b", count=8)[0])


def test_two_threads_add_a_gradient_in_the_same_order_each_time(tmp_path):
    start(Job("cam", 3, "cpu", tmp_path / "checkpoint.pt", ""), TrainingSettings(threads=2))
    generator = torch.Generator().manual_seed(0)
    index, weight = torch.randint(3, (40_000,), generator=generator), torch.rand(40_000, generator=generator)
    found = set()
    for _ in range(20):
        rows = torch.zeros(3, requires_grad=True)
        (rows[index] * weight).sum().backward()
        found.add(tuple(rows.grad.tolist()))
    assert len(found) == 1


def test_a_checkpoint_of_something_else_is_refused_aloud(tmp_path, capsys):
    with pytest.raises(Killed):
        train(tmp_path, die_in=2.0, fingerprint="other")
    weights, history = train(tmp_path)
    assert "starting over, the checkpoint has other settings, code or data" in capsys.readouterr().err
    assert torch.equal(weights, train(tmp_path / "fresh")[0])
    assert len(history) == 4


def test_a_damaged_checkpoint_is_refused_aloud(tmp_path, capsys):
    (tmp_path / "checkpoint.pt").write_bytes(b"half a file")
    weights, _ = train(tmp_path)
    assert "starting over, the checkpoint is damaged" in capsys.readouterr().err
    assert torch.equal(weights, train(tmp_path / "fresh")[0])


def test_too_few_images_and_a_diverging_loss_are_said(tmp_path):
    with pytest.raises(UserError, match=r"5 training images are fewer than cam\.batch_size 8"):
        train(tmp_path, count=5)
    with pytest.raises(UserError, match=r"diverged, its loss is (nan|inf|[\d.e+]+) in epoch \d; lower cam\.lr"):
        train(tmp_path, lr=100, weight_decay=10)


def test_a_loss_that_explodes_is_said_before_it_overflows(tmp_path):
    class Exploding(Model):
        def forward(self, batch, step, steps):
            return {"fit": super().forward(batch, step, steps)["fit"] * 2.0**step, "term": batch["x"].sum() * 1e6}

    # A term may weigh what its user likes: the cross-entropy alone says.
    with pytest.raises(UserError, match=r"diverged, its loss is -?[\d.e+]+ in epoch 2; lower cam\.lr"):
        train(tmp_path, model=Exploding())


class Steep(Model):
    """A model whose backbone's gradients are as large as one likes."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, batch, step, steps):
        hidden = self.backbone(batch["x"])
        self.before = self.backbone.weight.detach().clone()
        hidden = hidden + (hidden - hidden.detach()) * (self.factor - 1)
        out = self.head(torch.relu(hidden))[:, 0]
        return {"fit": torch.nn.functional.binary_cross_entropy_with_logits(out, batch["y"])}


def test_no_gradient_moves_the_backbone_by_more_than_a_share_of_its_weights(tmp_path):
    steep, gentle = Steep(1e6), Steep(1e-2)
    for model in (steep, gentle):
        train(tmp_path / str(model.factor), lr=0.1, count=8, epochs=1, weight_decay=0, precision="32-true", model=model)
    moved, tiny = ((m.backbone.weight - m.before).norm(dim=1) / m.before.norm(dim=1) for m in (steep, gentle))
    # One step of Nesterov's is 1.9 learning rates long.
    torch.testing.assert_close(moved[moved > 0], torch.full_like(moved[moved > 0], 1.9 * 0.1 * 0.01))
    assert tiny.max() > 0
    assert tiny.max() < 1e-3


def test_a_gradient_that_is_small_enough_is_what_plain_sgd_takes(tmp_path):
    model, twin = Steep(1e-3), Steep(1e-3)
    twin.load_state_dict(model.state_dict())
    train(tmp_path, lr=0.1, count=8, epochs=1, weight_decay=0, precision="32-true", model=model)
    points = Points(8)
    points.epoch = 0
    batch = torch.utils.data.default_collate([points[i] for i in range(8)])
    sgd = torch.optim.SGD(twin.backbone.parameters(), 0.1, momentum=0.9, nesterov=True)
    twin(batch, 0, 1)["fit"].backward()
    sgd.step()
    moved, expected = (each.backbone.weight - each.before for each in (model, twin))
    torch.testing.assert_close(moved, expected, rtol=0.01, atol=1e-7)


def test_a_device_that_is_not_there_is_refused(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(UserError, match="device: cuda is not available here"):
        start(Job("cam", 0, "cuda", tmp_path / "c.pt", ""), TrainingSettings())


def test_history_has_a_line_an_epoch_zero_before_a_term_begins_and_nothing_where_nothing_is_known(tmp_path):
    rows = [
        {"epoch": 1, "loss": 0.5, "look_loss": None},
        {"epoch": 2, "loss": 0.25, "look_loss": 1.0, "category": 0.125},
    ]
    write_history(tmp_path / "h.csv", rows)
    assert (tmp_path / "h.csv").read_text() == "epoch,loss,look_loss,category\n1,0.5,,0\n2,0.25,1,0.125\n"


class Mortal(Points):
    def __getitem__(self, index):
        if torch.utils.data.get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


def test_a_loading_process_that_dies_is_a_message_with_the_setting(tmp_path):
    settings = TrainingSettings(epochs=1, steps=0, batch_size=8, threads=1)
    job = Job("cam", 0, "cpu", tmp_path / "checkpoint.pt", "same", workers=1)
    with pytest.raises(UserError, match=r"a loading process died.*lower cam\.workers"):
        fit(start(job, settings), job, settings, Model(), Mortal())
