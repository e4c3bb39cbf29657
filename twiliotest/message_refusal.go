package twiliotest

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxBody  = 1600
	maxMedia = 10

	soonest = 15 * time.Minute
	latest  = 35 * 24 * time.Hour
)

// messageRefusal is the code for a message that may not be sent, 0 if it may.
func (c *call) messageRefusal(owner *account, m *Message, now time.Time) (code int) {
	for _, refusal := range []func() int{
		func() int { return recipientRefusal(m) },
		func() int { return contentRefusal(m) },
		func() int { return c.scheduleRefusal(m, now) },
		func() int { return c.server.originRefusal(m) },
		func() int { return c.server.permissionRefusal(owner, m) },
	} {
		if code = refusal(); code != 0 {
			return code
		}
	}
	return 0
}

func recipientRefusal(m *Message) int {
	switch {
	case m.To == "":
		return 21604
	case !isE164(m.To) && !isOfChannel(m.To):
		return 21211
	case m.From == "" && m.MessagingServiceSID == "":
		return 21603
	case m.To == m.From:
		return 21266
	}
	return 0
}

// isOfChannel tells of addresses such as whatsapp:+14155550101.
func isOfChannel(address string) bool { return strings.Contains(address, ":") }

func contentRefusal(m *Message) int {
	switch {
	case m.Body == "" && len(m.MediaURLs) == 0 && m.ContentSID == "":
		return 21619
	case utf8.RuneCountInString(m.Body) > maxBody:
		return 21617
	case len(m.MediaURLs) > maxMedia:
		return 21623
	}
	for _, url := range m.MediaURLs {
		if url == "" || anyURL(url) != 0 {
			return 21620
		}
	}
	return 0
}

func (c *call) scheduleRefusal(m *Message, now time.Time) int {
	_, isScheduled := c.param("ScheduleType")
	wait := m.SendAt.Sub(now)
	switch {
	case isScheduled != !m.SendAt.IsZero():
		return 20001 // one needs the other
	case !isScheduled:
		return 0
	case m.MessagingServiceSID == "":
		return 35118
	case wait < soonest || wait > latest:
		return 35114
	}
	return 0
}

// originRefusal is about where a message comes from.
func (s *Server) originRefusal(m *Message) int {
	if m.ApplicationSID != "" && !s.hasApplication(m.AccountSID, m.ApplicationSID) {
		return 21420
	}
	if m.MessagingServiceSID == "" {
		return s.fromRefusal(m.AccountSID, m.From)
	}
	service := s.services.of(m.AccountSID).get(m.MessagingServiceSID)
	switch {
	case !isSID(m.MessagingServiceSID, "MG"):
		return 21705
	case service == nil:
		return 21701
	case s.senders.of(service.SID).count() == 0:
		return 21704
	case s.senderOf(service) == nil:
		return 21703
	case m.From != "" && !s.sendsFrom(service, m.From):
		return 21606
	}
	return 0
}

func (s *Server) sendsFrom(service *MessagingService, from string) bool {
	n := s.numbers.byNumber[from]
	return n != nil && s.senders.of(service.SID).get(n.SID) != nil
}

// alphanumeric senders need no phone number, but a letter.
var alphanumeric = regexp.MustCompile(`^[0-9A-Za-z +&_-]{1,11}$`)

func (s *Server) fromRefusal(accountSID, from string) int {
	n := s.numbers.byNumber[from]
	switch {
	case n != nil && n.AccountSID != accountSID:
		return 21660
	case n != nil && !n.Capabilities.SMS:
		return 21661
	case n != nil || isOfChannel(from):
		return 0
	case isE164(from) || isDigits(from):
		return 21606
	case alphanumeric.MatchString(from) && strings.ContainsAny(strings.ToLower(from), "abcdefghijklmnopqrstuvwxyz"):
		return 0
	}
	return 21212
}

func (s *Server) permissionRefusal(owner *account, m *Message) int {
	switch {
	case owner.Type == "Trial" && !s.hasVerified(owner.SID, m.To):
		return 21608
	case s.messages.optOuts[optOut{owner.SID, m.To}]:
		return 21610
	}
	return 0
}

// The letters of GSM-7, and those that count twice.
const (
	gsmLetters = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
		"¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmDoubles = "\f^{}\\[~]|€"
)

// segments is how many messages of the network a body takes.
func segments(body string) int {
	length := 0
	for _, r := range body {
		switch {
		case strings.ContainsRune(gsmLetters, r):
			length++
		case strings.ContainsRune(gsmDoubles, r):
			length += 2
		default:
			return inParts(len(utf16.Encode([]rune(body))), 70, 67)
		}
	}
	return inParts(length, 160, 153)
}

func inParts(length, alone, each int) int {
	if length <= alone {
		return 1
	}
	return (length + each - 1) / each
}
