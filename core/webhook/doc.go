// Package webhook lets outside events start agents.
//
// A webhook is a subscription of a user at a vendor. [Service.SetUp] finds or
// registers the one that a trigger block needs, and [Service.Prune] takes it back
// at the vendor when no trigger is linked to it any more. Vendors send
// deliveries to the address of the webhook; [Service.Receive] checks and stores
// them, and a job starts a run for each trigger that waits for the event.
//
// A delivery that was accepted is stored. It starts one run of each trigger,
// because the id of the run follows from those of the delivery and the trigger.
package webhook
