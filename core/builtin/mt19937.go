package builtin

import (
	"math"
	"math/bits"
)

// twister is the Mersenne Twister MT19937 with the draws of Python's random
// module, number for number: agents that give a seed rely on the same sample.
type twister struct {
	state [mtSize]uint32
	next  int
}

const (
	mtSize   = 624
	mtOffset = 397
)

// newTwister seeds a generator with the absolute value of a whole number, as
// random.seed does.
func newTwister(seed int64) *twister {
	magnitude := uint64(seed)
	if seed < 0 {
		magnitude = -magnitude // of the least number, too
	}
	key := []uint32{uint32(magnitude)}
	if high := uint32(magnitude >> 32); high != 0 {
		key = append(key, high)
	}
	t := &twister{}
	t.seedKey(key)
	return t
}

func (t *twister) seedNumber(n uint32) {
	t.state[0] = n
	for i := 1; i < mtSize; i++ {
		prev := t.state[i-1]
		t.state[i] = 1_812_433_253*(prev^prev>>30) + uint32(i)
	}
	t.next = mtSize
}

// seedKey is the initialisation by an array of the published algorithm.
func (t *twister) seedKey(key []uint32) {
	t.seedNumber(19_650_218)
	i := 1
	advance := func() {
		if i++; i == mtSize {
			t.state[0] = t.state[mtSize-1]
			i = 1
		}
	}
	for k := range max(mtSize, len(key)) {
		j := k % len(key)
		prev := t.state[i-1]
		t.state[i] = (t.state[i] ^ (prev^prev>>30)*1_664_525) + key[j] + uint32(j)
		advance()
	}
	for range mtSize - 1 {
		prev := t.state[i-1]
		t.state[i] = (t.state[i] ^ (prev^prev>>30)*1_566_083_941) - uint32(i)
		advance()
	}
	t.state[0] = 1 << 31
}

// refill makes the next block of numbers.
func (t *twister) refill() {
	for i := range mtSize {
		y := t.state[i]&(1<<31) | t.state[(i+1)%mtSize]&(1<<31-1)
		t.state[i] = t.state[(i+mtOffset)%mtSize] ^ y>>1 ^ (y&1)*0x9908b0df
	}
	t.next = 0
}

func (t *twister) uint32() uint32 {
	if t.next >= mtSize {
		t.refill()
	}
	y := t.state[t.next]
	t.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// random gives a number in [0, 1) of 53 bits.
func (t *twister) random() float64 {
	a, b := t.uint32()>>5, t.uint32()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
}

// bits gives a number of k random bits, k from 1 to 64.
func (t *twister) bits(k int) uint64 {
	if k <= 32 {
		return uint64(t.uint32() >> (32 - k))
	}
	low := uint64(t.uint32())
	return low | uint64(t.uint32()>>(64-k))<<32
}

// below gives a number in [0, n), n at least 1.
func (t *twister) below(n int) int {
	k := bits.Len(uint(n))
	for {
		if r := t.bits(k); r < uint64(n) {
			return int(r)
		}
	}
}

// between gives a number in [low, high].
func (t *twister) between(low, high int) int { return low + t.below(high-low+1) }

// sample gives k of the numbers 0 to n-1, none of them twice; k is at most n.
func (t *twister) sample(n, k int) []int {
	picked := make([]int, k)
	// Python chooses between two ways by the memory they need.
	pooled := 21
	if k > 5 {
		pooled += int(math.Pow(4, math.Ceil(math.Log(float64(k)*3)/math.Log(4))))
	}
	if n <= pooled {
		pool := make([]int, n)
		for i := range pool {
			pool[i] = i
		}
		for i := range picked {
			j := t.below(n - i)
			picked[i] = pool[j]
			pool[j] = pool[n-i-1]
		}
		return picked
	}
	seen := make(map[int]bool, k)
	for i := range picked {
		j := t.below(n)
		for seen[j] {
			j = t.below(n)
		}
		seen[j] = true
		picked[i] = j
	}
	return picked
}

// choices gives k numbers, each the index of one of the weights and as likely
// as it is heavy. The sum of the weights is positive and finite.
func (t *twister) choices(weights []float64, k int) []int {
	sums := make([]float64, len(weights))
	total := 0.0
	for i, w := range weights {
		total += w
		sums[i] = total
	}
	picked := make([]int, k)
	for i := range picked {
		picked[i] = above(sums, t.random()*total)
	}
	return picked
}

// above gives the first index whose sum is larger than x, or the last index.
func above(sums []float64, x float64) int {
	low, high := 0, len(sums)-1
	for low < high {
		mid := (low + high) / 2
		if x < sums[mid] {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}
