// Throws three functions deep.
function totalOf(items) {
  let sum = 0;
  for (const item of items) {
    sum += item.price; // breaks for null
  }
  return sum;
}

function applyDiscount(cart, percent) {
  const total = totalOf(cart.items);
  return total - (total * percent) / 100;
}

export function checkout(cart) {
  const price = applyDiscount(cart, 5);
  document.title = `${price}`;
}
