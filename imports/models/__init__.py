"""The tables of imports: the run itself, and what it keeps of its file and its work; and exports."""

from imports.models.counted import OUTCOMES as OUTCOMES
from imports.models.export import ExportRun as ExportRun
from imports.models.records import Chunk as Chunk
from imports.models.records import CreatedProducts as CreatedProducts
from imports.models.records import PlannedChange as PlannedChange
from imports.models.records import RejectedRow as RejectedRow
from imports.models.records import RepairedRow as RepairedRow
from imports.models.records import RowChange as RowChange
from imports.models.records import SetAsideRow as SetAsideRow
from imports.models.run import ImportRun as ImportRun
from imports.models.run import ImportRunQuerySet as ImportRunQuerySet
from imports.models.run import upload_path as upload_path
from imports.models.saved import SavedMapping as SavedMapping
