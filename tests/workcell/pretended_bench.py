"""A bench that pushes nothing."""

from workcell.push_trial import PushResult


class Pretended:
    """On it the policy is worth 10 N s, and one trial in ten goes wrong earlier."""

    ran = 0

    def run(self, trial):
        Pretended.ran += 1
        limit = 25.0 + 10.0 * trial.reflex - 10.0 * (trial.seed == 5)
        survived = trial.size <= limit
        return PushResult(survived, 1.0, int(trial.reflex), "" if survived else "fell")

    def close(self):
        pass
