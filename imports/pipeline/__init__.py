"""What comes after what. Every transition is one transaction with the work it follows.

    confirm → plan ┬ (turn) → stage × chunks → check, categories ────────────────────┬→ load → mirror → finish
                   └ stage × chunks → check → compare × ranges → (approval) → (turn) ┘
    undo → (turn) → undo × parts of the journal → finish

The lower branch is an import with a preview. Loads, and mirroring where it was chosen, are one job a range.
Discarding ends a preview; cancelling and failing end a run from anywhere; a pause holds its jobs.

| module | its transitions |
|---|---|
| `starting` | confirm, take back |
| `preparing` | planned, staged, checked |
| `previews` | compared, approve, discard |
| `writing` | loaded, what the file lacks found and mirrored |
| `ending` | finished, cancel, fail |
| `turns` | which import is let in next |
| `holding` | what all of them do: hold the run, count, make jobs |
"""

from imports.pipeline.ending import cancel as cancel
from imports.pipeline.ending import fail as fail
from imports.pipeline.ending import finished as finished
from imports.pipeline.holding import Range as Range
from imports.pipeline.holding import RunEnded as RunEnded
from imports.pipeline.holding import State as State
from imports.pipeline.holding import hold as hold
from imports.pipeline.holding import must_be as must_be
from imports.pipeline.preparing import checked as checked
from imports.pipeline.preparing import planned as planned
from imports.pipeline.preparing import staged as staged
from imports.pipeline.previews import approve as approve
from imports.pipeline.previews import compared as compared
from imports.pipeline.previews import discard as discard
from imports.pipeline.starting import confirm as confirm
from imports.pipeline.starting import take_back as take_back
from imports.pipeline.turns import admit_next as admit_next
from imports.pipeline.turns import one_at_a_time as one_at_a_time
from imports.pipeline.writing import found_unlisted as found_unlisted
from imports.pipeline.writing import loaded as loaded
from imports.pipeline.writing import mirrored as mirrored
