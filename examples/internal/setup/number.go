package setup

import (
	"errors"
	"flag"
	"regexp"
	"strconv"
)

var (
	numberForm    = regexp.MustCompile(`^\+[1-9]\d{1,14}$`)
	numberSIDForm = regexp.MustCompile(`^PN[0-9a-fA-F]{32}$`)
)

// IsPhoneNumber tells whether an argument is a whole phone number in E.164, such as +14158740103.
func IsPhoneNumber(arg string) bool { return numberForm.MatchString(arg) }

// IsPhoneNumberSID tells whether an argument is the SID of a phone number.
func IsPhoneNumberSID(arg string) bool { return numberSIDForm.MatchString(arg) }

// AreaCodeFlag adds the flag -area-code. A code that cannot be one is refused: 0 would stand for all of them.
func AreaCodeFlag(flags *flag.FlagSet, code *int, help string) {
	flags.Func("area-code", help, func(text string) (err error) {
		*code, err = strconv.Atoi(text)
		if err != nil || *code < 200 || *code > 999 {
			return errors.New("the US and Canada have area codes from 200 to 999")
		}
		return nil
	})
}
