// Package mongostore keeps a twilioacct.Store in MongoDB, in the application's own documents.
package mongostore

import _ "go.mongodb.org/mongo-driver/v2/mongo"
