// Package platform is the composition root: it builds every service from a
// configuration and starts and stops them in order.
package platform
