package world

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// numbers hands out organisation numbers and national identity numbers with right check
// digits, none twice. Both are of the series kept for tests: organisation numbers that
// begin with 3, and national identity numbers with 80 added to the month.
type numbers struct {
	org    int64
	serial map[string]int
}

func newNumbers() *numbers { return &numbers{org: 32_000_000, serial: make(map[string]int)} }

func (n *numbers) organisation() string {
	for {
		n.org++
		text := fmt.Sprintf("%08d", n.org)
		if k := check(text, 3, 2, 7, 6, 5, 4, 3, 2); k < 10 {
			return text + string(rune('0'+k))
		}
	}
}

func (n *numbers) national(born time.Time) string {
	day := fmt.Sprintf("%02d%02d%02d", born.Day(), int(born.Month())+80, born.Year()%100)
	for {
		text := day + fmt.Sprintf("%03d", n.serial[day])
		n.serial[day]++
		first := check(text, 3, 7, 6, 1, 8, 9, 4, 5, 2)
		if first > 9 {
			continue
		}
		text += string(rune('0' + first))
		if second := check(text, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2); second < 10 {
			return text + string(rune('0'+second))
		}
	}
}

// check returns the modulus-11 check digit, 10 when the number has none.
func check(digits string, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += int(digits[i]-'0') * w
	}
	return (11 - sum%11) % 11
}

// names are words that names are made of.
type names struct{ given, family, place, trade []string }

func newNames() names {
	return names{
		given: []string{"Anne", "Arne", "Astrid", "Bjørn", "Eva", "Geir", "Gro", "Hanne", "Håkon", "Ingrid", "Jan", "Kari",
			"Knut", "Lars", "Liv", "Marit", "Mona", "Nils", "Ola", "Per", "Ragnhild", "Siv", "Solveig", "Svein", "Terje", "Tone", "Tor", "Åse", "Øystein", "Ørjan"},
		family: []string{"Aas", "Bakken", "Berg", "Brekke", "Dahl", "Eide", "Fjeld", "Foss", "Haug", "Hovland", "Kvam", "Lie",
			"Lund", "Moe", "Myhre", "Nes", "Næss", "Rud", "Sand", "Solbakken", "Strand", "Sæther", "Tangen", "Vik", "Ødegård", "Øvrebø"},
		place: []string{"Askvik", "Bjørnstad", "Dalsøyra", "Elvenes", "Fjellheim", "Granlia", "Havnås", "Innvik", "Kvernes", "Lyngmo",
			"Nordskog", "Oterdal", "Rognan", "Skarvøy", "Solvik", "Tårnby", "Utnes", "Vestmarka", "Ørnes", "Åsgard"},
		trade: []string{"Bakeri", "Bygg", "Data", "Eiendom", "Elektro", "Fisk", "Handel", "Hage", "Konsult", "Maskin", "Rør", "Tre", "Transport", "Verksted"},
	}
}

func (n names) person(r *rand.Rand) string {
	return pick(r, n.given) + " " + pick(r, n.family)
}

func (n names) unit(r *rand.Rand, unitType string) string {
	switch unitType {
	case "KOMM":
		return pick(r, n.place) + " kommune"
	case "ORGL":
		return pick(r, n.place) + " oppvekst"
	case "ENK":
		return pick(r, n.trade) + " " + n.person(r)
	case "FLI":
		return pick(r, n.place) + " idrettslag"
	case "ESEK":
		return pick(r, n.place) + " sameie"
	case "KBO":
		return pick(r, n.place) + " " + pick(r, n.trade) + " AS konkursbo"
	}
	return pick(r, n.place) + " " + pick(r, n.trade) + " " + unitType
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func uuid(r *rand.Rand) string {
	high, low := r.Uint64(), r.Uint64()
	high = high&^0xf000 | 0x4000     // version 4
	low = low&^(0b11<<62) | 0b10<<62 // its variant
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
}

// day returns a day of the years from first to last.
func day(r *rand.Rand, first, last int) time.Time {
	return time.Date(first+r.IntN(last-first+1), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
}
