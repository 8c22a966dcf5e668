"""All checkers there are, in the order of docs/checkers.md."""

from __future__ import annotations

from mesolite.harness.checkers import (
    absence,
    books,
    drains,
    frameworks,
    leadership,
    offers,
    operators,
    reclaims,
    registry,
    schedulers,
    tasks,
    updates,
)
from mesolite.harness.checkers.checker import Checker

STANDARD: tuple[type[Checker], ...] = (
    books.ResourcesConserved,
    books.AgentsKnowTheirOwn,
    offers.OffersOfAvailableAgents,
    offers.WithheldIsNotOffered,
    offers.OffersRescinded,
    offers.OffersKnown,
    offers.RefusedOffersWait,
    tasks.OneEndPerTask,
    tasks.EndsCarryCauses,
    tasks.StatesAreUnderstood,
    tasks.TasksAccountedFor,
    tasks.KillsTakeEffect,
    tasks.LaunchedOnce,
    updates.StoredBeforeSaid,
    updates.UpdatesAreSaidAgain,
    updates.AcknowledgedByUuid,
    updates.ExecutorsAreAcknowledged,
    drains.NothingAliveWhenDrained,
    drains.AllAcknowledgedWhenDrained,
    drains.DrainsEnd,
    drains.GracesAreKept,
    reclaims.OnlyAskedAreRevoked,
    reclaims.NewestAreRevokedFirst,
    reclaims.ReclaimsAreInTime,
    absence.GivenUpInTime,
    absence.GoneStaysGone,
    absence.UnregisteredAreRemoved,
    absence.LostWithTheirAgent,
    absence.PrunedWhenOld,
    frameworks.FrameworksHaveTheirTime,
    frameworks.DriversAreConnected,
    frameworks.SubscribersAreAnswered,
    frameworks.SuppressionIsKept,
    leadership.OneLeaderPerTerm,
    leadership.EverybodyIsRegistered,
    leadership.LivingTasksAreKnown,
    leadership.ExecutorsAccountedFor,
    registry.ConfirmedIsStored,
    registry.RecoveredIsApplied,
    registry.LeadersBelieveTheStore,
    registry.RegistryIsAskedInOrder,
    operators.CallsAreAnswered,
    operators.RefusedForAReason,
    operators.AnsweredIsStored,
    schedulers.UpdatesAreAcknowledged,
    schedulers.OffersAreAnswered,
    schedulers.InverseOffersAreAnswered,
)
"""Those that are on unless switched off."""

OPTIONAL: tuple[type[Checker], ...] = (schedulers.NoJobLost, schedulers.NoJobTwice, schedulers.NobodyStarves)
"""Those that make sense to who asks for them."""
