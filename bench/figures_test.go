package bench

import (
	"strings"
	"syscall"
	"time"
)

// cpu is the processor time that this process has used, server and clients
// together. It is less noisy than the clock on a busy machine.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// figures logs the means of the server's own histograms.
func (b *bed) figures(prefix string) {
	families, err := b.platform.Metrics.Gather()
	if err != nil {
		b.tb.Log(err)
		return
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), prefix) {
			continue
		}
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil && h.GetSampleCount() > 0 {
				b.tb.Logf("%s: %d samples, mean %.4g", f.GetName(), h.GetSampleCount(), h.GetSampleSum()/float64(h.GetSampleCount()))
			}
		}
	}
}
