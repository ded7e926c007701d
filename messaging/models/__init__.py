"""The nouns of messaging, a file each."""

from __future__ import annotations

from messaging.models.api_client import (
    ApiAccess,
    ApiClient,
    ApiClientPace,
    KeptAnswer,
)
from messaging.models.attempt import Attempt, AttemptState
from messaging.models.audio import AudioJob, AudioState
from messaging.models.audit_entry import AuditEntry, AuditKind
from messaging.models.automatic_retry import AutomaticRetry, StoppedRetry
from messaging.models.bulk import (
    BulkItemState,
    BulkResend,
    BulkResendItem,
    BulkResendOutcome,
    BulkResendRefusal,
    BulkResendState,
)
from messaging.models.contact import Contact
from messaging.models.content import Content
from messaging.models.counted_delivery import CountedDelivery
from messaging.models.credit import CreditAccount, CreditEntry, CreditStep
from messaging.models.device import DeviceHealth, DeviceState
from messaging.models.ended_broadcast import EndedBroadcast
from messaging.models.follow_up import FollowUp, FollowUpState
from messaging.models.inbound import (
    MOST_REQUESTS,
    OPEN_INBOUND_STATES,
    QUEUE_STATES,
    ExpiryReason,
    InboundMessage,
    InboundState,
    RequestOutcome,
    RetransmissionRequest,
)
from messaging.models.integration import Integration, IntegrationPace, IntegrationState
from messaging.models.message import (
    Actor,
    Message,
    MessageState,
    Priority,
    SkipReason,
)
from messaging.models.meter import Meter, MeterSeries
from messaging.models.organization import Organization
from messaging.models.pulse import Pulse
from messaging.models.receipt import Receipt, ReceiptResult
from messaging.models.rights import Right
from messaging.models.second_factor import RecoveryCode, SecondFactor, SignInPace
from messaging.models.session import Session
from messaging.models.tally import (
    DailyFigure,
    FigureKind,
    Recovery,
    Tally,
    TallyUnit,
)
from messaging.models.user import Role, User
from messaging.models.webhook import (
    EndpointState,
    OffReason,
    WebhookEndpoint,
    WebhookHealth,
    WebhookSecret,
    WebhookType,
)
from messaging.models.webhook_delivery import (
    DeliveryPriority,
    DeliveryState,
    WebhookCourier,
    WebhookDelivery,
    WebhookEvent,
    WebhookRecovery,
)

__all__ = [
    "MOST_REQUESTS",
    "OPEN_INBOUND_STATES",
    "QUEUE_STATES",
    "Actor",
    "ApiAccess",
    "ApiClient",
    "ApiClientPace",
    "Attempt",
    "AttemptState",
    "AudioJob",
    "AudioState",
    "AuditEntry",
    "AuditKind",
    "AutomaticRetry",
    "BulkItemState",
    "BulkResend",
    "BulkResendItem",
    "BulkResendOutcome",
    "BulkResendRefusal",
    "BulkResendState",
    "Contact",
    "Content",
    "CountedDelivery",
    "CreditAccount",
    "CreditEntry",
    "CreditStep",
    "DailyFigure",
    "DeliveryPriority",
    "DeliveryState",
    "DeviceHealth",
    "DeviceState",
    "EndedBroadcast",
    "EndpointState",
    "ExpiryReason",
    "FigureKind",
    "FollowUp",
    "FollowUpState",
    "InboundMessage",
    "InboundState",
    "Integration",
    "IntegrationPace",
    "IntegrationState",
    "KeptAnswer",
    "Message",
    "MessageState",
    "Meter",
    "MeterSeries",
    "OffReason",
    "Organization",
    "Priority",
    "Pulse",
    "Receipt",
    "ReceiptResult",
    "Recovery",
    "RecoveryCode",
    "RequestOutcome",
    "RetransmissionRequest",
    "Right",
    "Role",
    "SecondFactor",
    "Session",
    "SignInPace",
    "SkipReason",
    "StoppedRetry",
    "Tally",
    "TallyUnit",
    "User",
    "WebhookCourier",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookHealth",
    "WebhookRecovery",
    "WebhookSecret",
    "WebhookType",
]
