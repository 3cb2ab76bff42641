/** What the made-up people and employers are made of. Domains end in `.example`, phone numbers lie in ranges kept for drama. */

export const FIRST_NAMES = [
  "Aaliyah", "Aidan", "Amelia", "Amina", "Anjali", "Arjun", "Ayesha", "Beatriz", "Callum", "Carys", "Chidi", "Chloe", "Daniel", "Dylan", "Ebony", "Efua",
  "Elif", "Emily", "Farhan", "Fatima", "Finley", "Freya", "George", "Grace", "Hannah", "Harpreet", "Ibrahim", "Imogen", "Ines", "Isla", "Jack", "Jade",
  "Jakub", "José", "Kofi", "Lauren", "Leila", "Liam", "Łukasz", "Magdalena", "Maisie", "Mateusz", "Mei", "Mohammed", "Nadia", "Niamh", "Oliver", "Olena",
  "Owen", "Priya", "Rhys", "Rohan", "Ruairí", "Samira", "Seren", "Siân", "Sofia", "Tariq", "Temi", "Thu", "Wei", "Yusuf", "Zanele", "Zofia",
] as const;

export const LAST_NAMES = [
  "Abubakar", "Adeyemi", "Ahmed", "Akhtar", "Ali", "Asante", "Baker", "Begum", "Bevan", "Boateng", "Campbell", "Chaudhry", "Chen", "Clarke", "Davies", "Demir",
  "Dlamini", "Edwards", "Evans", "Fernández", "Fraser", "García", "Gill", "Green", "Griffiths", "Hall", "Hussain", "Iqbal", "Jackson", "Jones", "Kaur", "Khan",
  "Kowalska", "Kowalski", "Kovalenko", "Lewis", "Llewellyn", "MacDonald", "Malik", "Mensah", "Mitchell", "Müller", "Murphy", "Nguyễn", "Nowak", "O'Brien", "O'Connor", "Okafor",
  "Osei", "Patel", "Popescu", "Roberts", "Santos", "Shah", "Sharma", "Singh", "Smith", "Taylor", "Thomas", "Walker", "Williams", "Wiśniewski", "Wright", "Zhang",
] as const;

export const EMPLOYER_NAMES = [
  "Alderbrook", "Ashdown", "Birchwood", "Blackmoor", "Bramley", "Brightwater", "Calder", "Castlegate", "Chiltern Vale", "Clearwell", "Cotswold Edge", "Dovedale",
  "Eastmere", "Elmfield", "Fairburn", "Fenwick", "Foxglove", "Glenmore", "Greenacre", "Harbourline", "Hawthorne", "Highcliffe", "Holmfirth", "Ironbridge",
  "Juniper", "Kestrel", "Kingsway", "Lakeland", "Larkhill", "Lindisfarne", "Lowther", "Meadowbank", "Mersey Gate", "Millstone", "Northgate", "Oakhurst",
  "Orchard", "Peak", "Pennine", "Quayside", "Ravenscar", "Redwood", "Riverside", "Rowan", "Saltmarsh", "Severn", "Silverdale", "Southwell",
  "Stanmore", "Stonebridge", "Summerhill", "Thornton", "Trent", "Tynemouth", "Valley", "Wensley", "Westbrook", "Whitestone", "Willow", "Wyvern",
] as const;

/** What an employer does → the industry as HubSpot words it, and the programmes its people are on. */
export const SECTORS = [
  { word: "Logistics", industry: "LOGISTICS_AND_SUPPLY_CHAIN", programmes: ["Large Goods Vehicle Driver L2", "Supply Chain Warehouse Operative L2", "Team Leader L3"] },
  { word: "Care", industry: "HOSPITAL_HEALTH_CARE", programmes: ["Adult Care Worker L2", "Lead Adult Care Worker L3", "Senior Healthcare Support Worker L3"] },
  { word: "Engineering", industry: "MECHANICAL_OR_INDUSTRIAL_ENGINEERING", programmes: ["Engineering Technician L3", "Engineering Operative L2", "Project Manager L4"] },
  { word: "Homes", industry: "CONSTRUCTION", programmes: ["Installation Electrician L3", "Bricklayer L2", "Site Carpenter L2"] },
  { word: "Foods", industry: "FOOD_PRODUCTION", programmes: ["Food and Drink Process Operator L2", "Commis Chef L2", "Team Leader L3"] },
  { word: "Digital", industry: "COMPUTER_SOFTWARE", programmes: ["Software Developer L4", "Data Analyst L4", "Multi-channel Marketer L3"] },
  { word: "Nurseries", industry: "EDUCATION_MANAGEMENT", programmes: ["Early Years Educator L3", "Early Years Practitioner L2", "Teaching Assistant L3"] },
  { word: "Accounting", industry: "ACCOUNTING", programmes: ["Assistant Accountant L3", "Professional Accounting Technician L4", "Business Administrator L3"] },
  { word: "Hotels", industry: "HOSPITALITY", programmes: ["Hospitality Team Member L2", "Commis Chef L2", "Hospitality Supervisor L3"] },
  { word: "Energy", industry: "UTILITIES", programmes: ["Power Network Craftsperson L3", "Data Analyst L4", "Operations Manager L5"] },
  { word: "Security", industry: "COMPUTER_NETWORK_SECURITY", programmes: ["Cyber Security Technologist L4", "Information Communications Technician L3", "Customer Service Practitioner L2"] },
  { word: "Housing", industry: "REAL_ESTATE", programmes: ["Housing and Property Management L3", "Customer Service Practitioner L2", "Chartered Manager L6"] },
] as const;

export const TOWNS = [
  { town: "Leeds", postcode: "LS1", dial: "0113 496" }, { town: "Sheffield", postcode: "S1", dial: "0114 496" }, { town: "Nottingham", postcode: "NG1", dial: "0115 496" },
  { town: "Leicester", postcode: "LE1", dial: "0116 496" }, { town: "Bristol", postcode: "BS1", dial: "0117 496" }, { town: "Reading", postcode: "RG1", dial: "0118 496" },
  { town: "Birmingham", postcode: "B2", dial: "0121 496" }, { town: "Edinburgh", postcode: "EH1", dial: "0131 496" }, { town: "Glasgow", postcode: "G1", dial: "0141 496" },
  { town: "Liverpool", postcode: "L1", dial: "0151 496" }, { town: "Manchester", postcode: "M1", dial: "0161 496" }, { town: "London", postcode: "EC1A", dial: "020 7946" },
  { town: "Newcastle upon Tyne", postcode: "NE1", dial: "0191 498" }, { town: "Cardiff", postcode: "CF10", dial: "029 2018" }, { town: "Belfast", postcode: "BT1", dial: "028 9649" },
] as const;

export const DIVISIONS = ["North", "Midlands", "South", "Wales and West", "Scotland"] as const;

export const JOB_TITLES = [
  "Delivery Consultant", "Data Engineer", "Skills Coach", "Product Manager", "Customer Success Manager", "Frontend Engineer", "Finance Analyst", "Talent Partner",
  "Curriculum Designer", "Account Executive", "Platform Engineer", "People Operations Specialist", "Compliance Officer", "Learning Designer", "Support Engineer", "Marketing Manager",
] as const;
