package bench

import (
	"strings"
)

func (b *bed) figures(prefix string) {
	families, _ := b.platform.Metrics.Gather()
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), prefix) {
			for _, m := range f.GetMetric() {
				if h := m.GetHistogram(); h != nil {
					b.tb.Logf("%s n=%d avg=%g", f.GetName(), h.GetSampleCount(), h.GetSampleSum()/float64(h.GetSampleCount()))
				}
			}
		}
	}
}
