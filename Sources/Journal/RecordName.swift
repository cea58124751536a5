package import Records

package typealias Record = Records.Record
