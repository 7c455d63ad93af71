// Package credential keeps the credentials that users run blocks with.
//
// There are three kinds. Users connect their own; they are stored sealed, see
// [Ring]. The operator's, called system credentials, come from the settings of
// the providers in use and are not stored. Managed credentials are provisioned
// by the platform, one per user and provider, and are stored like a user's own,
// but users cannot change or delete them.
//
// A stored credential has a public part, which lists show without opening
// anything, and a sealed part, which is opened to run a block. The seal is bound
// to the owner, the id and the provider: a row that was copied, swapped or
// damaged does not open, and that is an error, never an empty credential.
//
// # Signing in
//
// [Service.Login] and [Service.Callback] are the two ends of a sign-in at a
// vendor by OAuth 2; what the vendor wants stands in the [core.OAuth2Auth] of its
// provider. [Service.Get] gives tokens that last: one that is due is refreshed
// first, once for all callers in all processes, which wait for it. The refresh
// runs under a lock of the bus, holds no connection of the database while the
// vendor works, and stores what the vendor gives before the lock goes.
//
// When the vendor refuses a refresh token for good, the credential is marked,
// [ReconnectTopic] tells it once, and the vendor is not asked again. Any other
// failure leaves the credential as it is.
//
// # Keys
//
// [LoadOrCreateKey] or the setting encryption.keys give the keys. [Open] refuses
// to work with keys that do not fit what is stored, and has written nothing
// then. To change the key, put the new one first, restart, wait for
// [Service.Reseal], and remove the old one.
package credential
