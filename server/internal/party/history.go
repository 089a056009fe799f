package party

// maxPast is how many changes the history keeps. A page token is good for as long as
// those since its first page are among them; after that it goes by what is now.
const maxPast = 1 << 16

// history is what parties were before they changed, so that all pages of a list are cut
// from one order, the one of the moment its first page was made. The directory's lock
// guards it.
type history struct {
	past  map[ID][]version // by party, the oldest first
	queue []ID             // of the versions in past, the oldest first
}

// version is a record that stood until a moment, nil when there was none.
type version struct {
	record *record
	until  moment
}

// moment is a time in microseconds since 1970. No two changes have the same.
type moment int64

// add notes that a party's record was another until now.
func (h *history) add(id ID, was *record, now moment) {
	if len(h.queue) == maxPast {
		oldest := h.queue[0]
		h.queue = h.queue[1:]
		if h.past[oldest] = h.past[oldest][1:]; len(h.past[oldest]) == 0 {
			delete(h.past, oldest)
		}
	}
	h.queue = append(h.queue, id)
	h.past[id] = append(h.past[id], version{record: was, until: now})
}

// at returns the record that a party had at a moment; now is the one it has.
func (h *history) at(id ID, then moment, now *record) *record {
	for _, v := range h.past[id] {
		if v.until > then {
			return v.record
		}
	}
	return now
}

// moved reports whether a party stands elsewhere in some order, or in another group,
// under its new record.
func moved(was, is *record) bool {
	return was == nil || is == nil || was.main != is.main || was.text(keyText) != is.text(keyText) ||
		was.text(orgNumberText) != is.text(orgNumberText) || was.text(nationalIDText) != is.text(nationalIDText)
}
