const FUEL_GRADES = ["Regular", "Plus", "Premium", "Diesel"];

module.exports = { FUEL_GRADES };
