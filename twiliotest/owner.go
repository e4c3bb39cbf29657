package twiliotest

// reading, changing and adding lead a request to the account in its path, if
// its signer may do such a thing there.

func reading(handle func(*call, *account) answer) func(*call) answer {
	return within(handle, func(*account) int { return 0 })
}

// changing is also for what ends something: the parent may release a number or
// end a call of a suspended account.
func changing(handle func(*call, *account) answer) func(*call) answer {
	return within(handle, func(a *account) int {
		if a.Status == Closed {
			return 20403
		}
		return 0
	})
}

// adding is for what costs money, as buying and sending do.
func adding(handle func(*call, *account) answer) func(*call) answer {
	return within(handle, func(a *account) int {
		switch a.Status {
		case Active:
			return 0
		case Closed:
			return 20403
		}
		return 20005
	})
}

func within(handle func(*call, *account) answer, refused func(*account) int) func(*call) answer {
	return func(c *call) answer {
		a, code := c.owner()
		if code == 0 {
			code = refused(a)
		}
		if code != 0 {
			return c.refuse(code)
		}
		return handle(c, a)
	}
}

// owner returns the account whose resources a path is about, or the code that
// the signer gets instead. Of all credentials only the parent's auth token
// reaches into other accounts.
func (c *call) owner() (*account, int) {
	a, code := c.accountInPath("AccountSid")
	if code == 0 && a != c.signer.account && c.signer.key != nil {
		return nil, 20003
	}
	return a, code
}
