import Proving
