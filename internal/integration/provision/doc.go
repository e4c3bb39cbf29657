// Package provision tests that tenants are set up once, with mongostore and MongoDB, by processes that are killed on the way.
package provision
