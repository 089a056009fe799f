package audit

// hiddenText stands for a national identity number.
const hiddenText = "[hidden]"

// numberLength is how many digits a national identity number has.
const numberLength = 11

// hiddenValue returns the value of an attribute for a record.
func hiddenValue(id, text string) string {
	switch id {
	case "urn:altinn:person:identifier-no", "urn:altinn:ssn": // national identity numbers, valid or not
		return hiddenText
	}
	return hidden(text)
}

// hidden returns a text with all national identity numbers in it hidden: runs of eleven
// digits whose last two are as the first nine want them. Party ids, user ids and numbers of
// organisations are shorter.
func hidden(text string) string {
	run := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] >= '0' && text[i] <= '9' {
			run++
			continue
		}
		if run == numberLength && national(text[i-run:i]) {
			return text[:i-run] + hiddenText + hidden(text[i:])
		}
		run = 0
	}
	return text
}

// national says whether eleven digits are a national identity number, or one given out for
// want of one, or a synthetic one: all have the same control digits.
func national(digits string) bool {
	return controlled(digits[:10], [...]int{3, 7, 6, 1, 8, 9, 4, 5, 2, 1}) &&
		controlled(digits, [...]int{5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1})
}

// controlled says whether the weighted sum of digits is a multiple of eleven.
func controlled[W [10]int | [11]int](digits string, weights W) bool {
	sum := 0
	for i := range len(digits) {
		sum += int(digits[i]-'0') * weights[i]
	}
	return sum%11 == 0
}
