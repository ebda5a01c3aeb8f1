"""The tables of people and data, one module a noun. Rules live in services, reads in selectors."""

from annotations.models.audit import AuditEvent, StoredRequest
from annotations.models.counter import Counter, CounterIncrement
from annotations.models.decision import Decision
from annotations.models.flag import Flag, FlagComment
from annotations.models.image import Image
from annotations.models.invitation import Invitation
from annotations.models.job import BulkJob, ExportJob, ImportItem, ImportJob, JobState
from annotations.models.lease import Lease
from annotations.models.live_model import LiveModel
from annotations.models.near_duplicate import DuplicateGroup, DuplicateScan, NearPair
from annotations.models.outside_suggestion import OutsideSuggestion
from annotations.models.project import Membership, Project, Role
from annotations.models.proposal import CaptionProgress, Proposal
from annotations.models.queue import QueueEntry, Stratum
from annotations.models.ranking import RankingAge, TagRanking
from annotations.models.review import Review
from annotations.models.snapshot import Snapshot
from annotations.models.suggestion import SuggestionSet
from annotations.models.tag import Tag, TagAlias, TagPeriod
from annotations.models.tag_change import TagChange
from annotations.models.user import User
from annotations.models.verified_page import VerifiedPage

__all__ = [
    "AuditEvent",
    "BulkJob",
    "CaptionProgress",
    "Counter",
    "CounterIncrement",
    "Decision",
    "DuplicateGroup",
    "DuplicateScan",
    "ExportJob",
    "Flag",
    "FlagComment",
    "Image",
    "ImportItem",
    "ImportJob",
    "Invitation",
    "JobState",
    "Lease",
    "LiveModel",
    "Membership",
    "NearPair",
    "OutsideSuggestion",
    "Project",
    "Proposal",
    "QueueEntry",
    "RankingAge",
    "Review",
    "Role",
    "Snapshot",
    "StoredRequest",
    "Stratum",
    "SuggestionSet",
    "Tag",
    "TagAlias",
    "TagChange",
    "TagPeriod",
    "TagRanking",
    "User",
    "VerifiedPage",
]
